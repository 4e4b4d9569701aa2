//go:build tools

package hydra

import _ "github.com/ory/hydra/v2"
