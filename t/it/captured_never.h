/* SPDX-License-Identifier: ISC */
#ifndef T_IT_CAPTURED_NEVER_H
#define T_IT_CAPTURED_NEVER_H

/*
 * How often what the policy refuses is in specs of flightsim's devices; 1 when
 * none has an application to look at.
 */
unsigned int captured_never(void);

#endif
