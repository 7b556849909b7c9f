# shellcheck shell=bash
# needs: perl
# Hashes of arrays, string building, splitting and substitution.
prepare() {
  cat >work.pl <<'END'
use strict; use warnings;
my (%index, @lines);
my $state = 1;
sub draw { $state = ($state * 1103515245 + 12345) % 2147483648; return int($state / 65536) % $_[0]; }
for my $line (1 .. 20000) {
  push @lines, join(" ", map { "w" . "x" x draw(9) . draw(3000) } 1 .. 12);
}
for my $round (1 .. 2) {
  %index = ();
  for my $number (0 .. $#lines) {
    (my $copy = $lines[$number]) =~ s/x+/y/g;
    push @{$index{$_}}, [$number, $copy] for split / /, $lines[$number];
  }
}
my @sorted = sort { @{$index{$b}} <=> @{$index{$a}} || $a cmp $b } keys %index;
print scalar(@sorted), " $sorted[0]\n";
END
}
run() {
  "$@" perl work.pl
}
