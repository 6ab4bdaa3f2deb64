"""CodeTether's domain, with nothing around it: values, pure verbs, ports and services."""
