"""HTTP: from a connection to a request's answer, with faults on the way."""
