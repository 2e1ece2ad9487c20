"""What both sides of the queue must agree on: messages, kinds of calls, identity, signatures."""
