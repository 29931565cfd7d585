--- title     What a card lets anybody read
--- clause    EMV Book 3, 10.2
--- effect    spends
--- interface contact

-- The records that the AFL names, as "sfi.record".
local function of_afl(afl)
  local named = {}
  for sfi, first, last in afl:gmatch "(%x%x)(%x%x)(%x%x)%x%x" do
    for record = tonumber(first, 16), tonumber(last, 16) do
      named[(tonumber(sfi, 16) >> 3) .. "." .. record] = true
    end
  end
  return named
end

--- case A record that the AFL does not name tells nothing of its holder
send("SELECT", "A000000333010106")
local logs = {}
for _, tag in ipairs { "9F4D", "DF4D" } do
  local entry = get(tag)
  if entry then logs[tonumber(entry:sub(1, 2), 16)] = true end
end
send("GPO", { ecash = "01" })
local named, read = of_afl(get "94"), 0
for sfi = 1, 30 do
  for record = 1, 4 do
    local answer = send("READ RECORD", { sfi = sfi, record = record }, "9000 or 6A82 or 6A83 or 6985")
    local place = sfi .. "." .. record
    if answer.status == "9000" and not logs[sfi] then
      read = read + 1
      for _, tag in ipairs { "5A", "57", "5F20", "5F24", "9F0B" } do
        expect(named[place] or not answer:get(tag), "record " .. place .. " has no " .. tag)
      end
    end
  end
end
print(read .. " records")
expect(read > 0, "the card has records")

--- case No challenge comes twice
send("SELECT", "A000000333010106")
local seen = {}
for turn = 1, 100 do
  local challenge = send("GET CHALLENGE").data
  expect(not seen[challenge], "challenge " .. turn .. " is a new one")
  seen[challenge] = turn
end
