# shellcheck shell=bash
perl <<'PERL'
use strict; use warnings;
use Digest::SHA 'sha256_hex';
my (%table, @list); my $x = 1;
for my $i (1 .. 120_000) {
  $x = ($x * 1103515245 + 12345) % 2147483648;
  push @{$table{$x % 5000}}, "item $x";
  delete $table{$x % 777} if $i % 11 == 0;
}
my $text = join "\n", map { "$_: @{$table{$_}}" } sort keys %table;
(my $changed = $text) =~ s/(\d+)7\b/<$1>/g;
print sha256_hex($text), " ", length $changed, "\n";
print sha256_hex(join ",", sort map { scalar reverse $_ } 1 .. 80_000), "\n";
PERL
