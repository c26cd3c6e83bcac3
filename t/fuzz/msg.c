/* SPDX-License-Identifier: ISC */
/*
 * A body that decodes encodes to the same bytes, msg_size() knows how many, and
 * msg_decodes() says that it would.
 */
#include <stdint.h>

#include "common/xmem.h"
#include "ipc/msg.h"
#include "t/fuzz/target.h"

#define MSG(name, from, to, when, fd, body)                                   \
	static void try_##name(struct span s)                                 \
	{                                                                     \
		struct body_##body *m = xcalloc(1, sizeof(*m));               \
		struct wbuf w = { xmalloc(s.len), 0, s.len };                 \
		int decodes = body_##body##_get(s, m) == 0;                   \
                                                                              \
		must(msg_decodes(MSG_##name, s) == decodes);                  \
		if (decodes &&                                                \
		    (msg_size(MSG_##name, m) != s.len ||                      \
			msg_put(MSG_##name, &w, m) == -1 || w.len != s.len || \
			(s.len > 0 && memcmp(w.p, s.p, s.len) != 0)))         \
			abort();                                              \
		free(m), free(w.p);                                           \
	}
#include "ipc/msg.def"
#undef MSG

static void
fuzz_msg(struct span input)
{
	static void (*const tries[])(struct span) = {
#define MSG(name, ...) try_##name,
#include "ipc/msg.def"
	};

	if (input.len == 0)
		return;
	must(crew_state_name((enum crew_state)(uint8_t)input.p[0]) != NULL);
	tries[(uint8_t)input.p[0] % (MSG_COUNT - 1)](
	    (struct span){ input.p + 1, input.len - 1 });
}

TARGET(msg, fuzz_msg);
