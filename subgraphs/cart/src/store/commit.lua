-- Writes a cart, if it still has the version it was read with; all of it or nothing.
-- KEYS: 1 the cart, 2 the outcome of an idempotency key, 3 the owner's pointer, 4 the guest cart to remove ("" = none),
--       5 the count of carts begun in this hour ("" = none is begun).
-- ARGV: 1 version it must have ("0" = must not exist), 2 its new version, 3 its document ("" = leave it alone),
--       4 its time to live in ms, 5 the outcome, 6 the outcome's time to live in ms, 7 the cart's id,
--       8 "set" or "keep" the pointer, 9 version the guest cart must have,
--       10 how long the count is kept, in ms.
-- Answers {"done"}, {"conflict"} or {"seen", outcome}.
if KEYS[2] ~= "" then
  local seen = redis.call("GET", KEYS[2])
  if seen then return {"seen", seen} end
end
if ARGV[3] ~= "" then
  if (redis.call("HGET", KEYS[1], "version") or "0") ~= ARGV[1] then return {"conflict"} end
  if KEYS[4] ~= "" and redis.call("HGET", KEYS[4], "version") ~= ARGV[9] then return {"conflict"} end
  redis.call("HSET", KEYS[1], "version", ARGV[2], "doc", ARGV[3])
  redis.call("PEXPIRE", KEYS[1], ARGV[4])
  if KEYS[4] ~= "" then redis.call("DEL", KEYS[4]) end
  if KEYS[3] ~= "" then
    if ARGV[8] == "set" then
      redis.call("SET", KEYS[3], ARGV[7], "PX", ARGV[4])
    elseif redis.call("GET", KEYS[3]) == ARGV[7] then
      redis.call("PEXPIRE", KEYS[3], ARGV[4])
    end
  end
  if KEYS[5] ~= "" then
    redis.call("INCR", KEYS[5])
    redis.call("PEXPIRE", KEYS[5], ARGV[10])
  end
end
if KEYS[2] ~= "" then redis.call("SET", KEYS[2], ARGV[5], "PX", ARGV[6]) end
return {"done"}
