# shellcheck shell=bash
# needs: ruby
# Strings, hashes, arrays and objects that the collector has to free.
prepare() {
  cat >work.rb <<'END'
Item = Struct.new(:name, :tags, :next)
random = Random.new(1)
index = Hash.new { |hash, key| hash[key] = [] }
last = nil
120_000.times do |i|
  last = nil if i % 500 == 0
  last = Item.new("name #{random.rand(5000)}", Array.new(4) { random.rand(100).to_s * 5 }, last)
  index[last.name] << last
  index.delete("name #{random.rand(5000)}") if i % 7 == 0
end
text = index.map { |name, items| name + items.map { |item| item.tags.join(",") }.join(";") }
puts text.sort.join("\n").gsub(/9+/, "nine").length
END
}
run() {
  "$@" ruby work.rb
}
