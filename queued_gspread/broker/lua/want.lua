-- Record that a signed job is still wanted. A script, since a Redis that is out of memory would
-- refuse a bare SET, and then the next server would refuse the job.
--
-- KEYS[1] progress  hash: job id -> how far the call is
-- KEYS[2] renewal   string: that the job is wanted
-- ARGV[1] message   that says so, signed
-- ARGV[2] expiry    seconds
--
-- Returns 1.
may_grow(KEYS[1])
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
return 1
