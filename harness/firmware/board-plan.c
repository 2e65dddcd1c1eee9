/* The plan of a board, where board.c has found it; null on the stand-in. */
#include "board.h"

const struct board *board;
const struct board_cpu *board_cpus;
const struct range *redistributors, *translators, *never_broken;
const struct rule *rules;
const struct placed *behaviours;
const struct answer *monitor_answers;
