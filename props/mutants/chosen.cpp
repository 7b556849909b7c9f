// Which of its changes a program has; 0: none. The number is written into the file of the program,
// where the first word shows the place: malloc runs before anything could read an environment.
extern "C" {
extern volatile long strata_mutant[2];
constinit volatile long strata_mutant[2] = {0x6D7574616E743A29, 0};
}
