-- Record who has asked for what, for the server's log. A script, since a Redis that is out of
-- memory would refuse a bare XADD.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] actions   stream: what operators have asked for
-- ARGV[1] by        who asks
-- ARGV[2] what      in words
-- ARGV[3] why
--
-- Returns 1.
may_grow(KEYS[1])
note_action(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
return 1
