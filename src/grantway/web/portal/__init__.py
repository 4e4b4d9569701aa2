"""The developers' pages: their account, their apps, why an app was refused, and how much it is used."""

from grantway.web.portal import account, apps, change, dry_run, refusals

PAGES = (*account.PAGES, *apps.PAGES, *change.PAGES, *refusals.PAGES, *dry_run.PAGES)
