"""All sides, in the order of the table."""

from bench.compare import grantway_sides, hydra_side, keycloak_side, node_sides, python_sides

SIDES = (
    grantway_sides.SQLITE,
    grantway_sides.POSTGRES,
    node_sides.SIGNED_MEMORY,
    node_sides.MEMORY,
    node_sides.SIGNED_POSTGRES,
    node_sides.POSTGRES,
    python_sides.AUTHLIB,
    python_sides.DJANGO,
    hydra_side.SIDE,
    keycloak_side.SIDE,
)
