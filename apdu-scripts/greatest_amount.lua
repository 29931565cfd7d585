--- title     What a tap may cost
--- clause    JR/T 0025.12
--- effect    spends
--- profile   ecash
--- interface contactless

-- Whether the card would pay so many minor units by itself. Nothing moves, as its last
-- record is not read.
local function approves(minor)
  send("SELECT", "A000000333010106")
  return send("GPO", { amount = minor }):is "94 exists"
end

-- The greatest number from `low` to `high` that holds, found by halving.
local function greatest(low, high, holds)
  while low < high do
    local middle = (low + high + 1) // 2
    if holds(middle) then low = middle else high = middle - 1 end
  end
  return low
end

--- case The greatest amount that is approved is the balance
local found = greatest(0, 100000, approves)
print("approved up to " .. amount(found))
send("GET DATA", "9F79")
equal(found, get "9F79 amount", "the greatest amount beside the balance")

--- case Refusing takes no longer for an amount that is nearly right
approves(0)
local times = {}
for _, minor in ipairs { 10001, 10002, 20000, 99999 } do
  approves(minor)
  times[#times + 1] = get "time"
end
table.sort(times)
expect(times[#times] - times[1] < 50, "every refusal takes about as long")
