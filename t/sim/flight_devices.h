/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_DEVICES_H
#define T_SIM_FLIGHT_DEVICES_H

/* The user API's calls about devices: reading (flight_read.c), writing. */

struct flight;
struct flight_device;
struct flight_selector;
struct json_object;
struct web_req;

/* Reading. */
void flight_devices_list(struct web_req *, void *);
void flight_devices_get(struct web_req *, void *);
void flight_devices_lastseen(struct web_req *, void *);
void flight_devices_rendered(struct web_req *, void *);
void flight_devices_status(struct web_req *, void *);
void flight_labels_list(struct web_req *, void *);

/*
 * Selectors from texts (NULL: none); -1: refused and answered, both are NULL
 * then.
 */
int flight_device_selectors(struct web_req *, const char *labels,
    const char *fields, struct flight_selector **, struct flight_selector **);
int flight_device_selected(const struct flight_selector *labels,
    const struct flight_selector *fields, const struct flight_device *);

/* Writing. */
void flight_devices_post(struct web_req *, void *);
void flight_devices_put(struct web_req *, void *);
void flight_devices_put_status(struct web_req *, void *);
void flight_devices_patch(struct web_req *, void *);
void flight_devices_delete(struct web_req *, void *);
void flight_devices_decommission(struct web_req *, void *);

/* A spec and labels that were admitted; 1: something changed. */
int flight_device_store(struct flight *, struct flight_device *,
    struct json_object *labels, char *spec);
/* Gone, with what waits for it. */
void flight_device_remove(struct flight *, struct flight_device *);
/* Without an agent, as POST and PUT make it. */
struct flight_device *flight_device_create(struct flight *, const char *name,
    struct json_object *labels, char *spec);
int flight_device_leave(struct flight *, struct flight_device *,
    const char *target);

#endif
