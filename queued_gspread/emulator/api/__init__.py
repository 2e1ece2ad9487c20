"""The methods of Google's APIs, one module for each resource."""
