# shellcheck shell=bash
# needs: lua5.4
# Tables, closures and strings; all of Lua's memory goes through realloc.
prepare() {
  cat >work.lua <<'END'
local function tree(depth)
  if depth == 0 then return {} end
  return {tree(depth - 1), tree(depth - 1)}
end
local kept = tree(15)
for _ = 1, 12 do tree(15) end
local words, parts = {}, {}
for i = 1, 300000 do
  local word = "word" .. (i * 7919 % 5000)
  words[word] = (words[word] or 0) + 1
  parts[#parts + 1] = word
  if #parts == 200 then
    table.sort(parts)
    words[table.concat(parts, " "):sub(1, 60)] = i
    parts = {}
  end
end
local adders = {}
for i = 1, 200000 do adders[i % 1000] = function(x) return x + i end end
print(#kept, words.word1, adders[1](1))
END
}
run() {
  "$@" lua5.4 work.lua
}
