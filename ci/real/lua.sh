# shellcheck shell=bash
lua5.4 - <<'LUA'
local words, x = {}, 1
for i = 1, 300000 do
  x = (x * 1103515245 + 12345) % 2147483648
  words[x % 20000] = ("w%d"):format(x):rep(x % 5 + 1)
  if i % 7 == 0 then words[x % 3000] = nil end
end
local parts = {}
for i = 0, 19999 do parts[#parts + 1] = words[i] or "-" end
local text = table.concat(parts, " ")
local sum = 0
for at = 1, #text do sum = (sum * 31 + text:byte(at)) % 1000000007 end
print(#text, sum, select(2, text:gsub("w%d+7", "x")))
LUA
