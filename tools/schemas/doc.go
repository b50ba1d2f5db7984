// Package schemas names the modules whose types make the schemas.
package schemas

import _ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
