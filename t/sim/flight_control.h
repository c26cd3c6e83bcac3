/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_CONTROL_H
#define T_SIM_FLIGHT_CONTROL_H

/* flightsim's commands for control.c; arg is the struct flight. */

#include "t/sim/control.h"

extern const struct control_cmd flight_commands[];

#endif
