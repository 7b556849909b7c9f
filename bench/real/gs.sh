# shellcheck shell=bash
# needs: gs
# A hundred pages of curves and text, rendered to pixels.
prepare() {
  cat >work.ps <<'END'
%!PS
/Helvetica findfont 9 scalefont setfont
1 1 40 {
  /page exch def
  0 1 120 {
    /i exch def
    newpath 300 400 moveto
    i 37 mul 612 mod i 53 mul 792 mod i 11 mul page add 612 mod i 7 mul 792 mod
    i 91 mul 612 mod i 29 mul 792 mod curveto
    i 120 div page 40 div 0.5 setrgbcolor
    i 2 mod 0 eq { fill } { stroke } ifelse
    i 5 mul 612 mod i 6 mul moveto (a line of text) show
  } for
  showpage
} for
END
}
run() {
  "$@" gs -q -dNOPAUSE -dBATCH -dSAFER -sDEVICE=ppmraw -r100 -sOutputFile=/dev/null work.ps
}
