-- Look at the first job of a lane without removing it.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] active    set: names of the lanes that a server knows, or will learn of from ready
-- KEYS[4] progress  hash: job id -> how far the call is
-- KEYS[5] deliveries hash: job id -> the epochs under which it was delivered
-- ARGV[1] epoch     of the asking server
-- ARGV[2] name      of the lane
--
-- Returns {entry, id, body, mark, jobs in the lane, now, other epochs that had the job}, nil for an
-- empty lane, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
return head(KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[2], ARGV[1])
