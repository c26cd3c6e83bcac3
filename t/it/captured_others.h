/* SPDX-License-Identifier: ISC */
#ifndef T_IT_CAPTURED_OTHERS_H
#define T_IT_CAPTURED_OTHERS_H

/* Others' things on both servers, each byte of which a captured worker leaves.
 */
void others_make(void);
void others_remember(void);

/* Three checks: all is as it was remembered. */
void others_judge(const char *who);

#endif
