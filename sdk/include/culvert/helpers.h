/*
 * Helpers for a plugin in C: views, the arena, statuses, fields, numbers.
 *
 * Everything here is static inline and needs plugin.h only. Nothing allocates except from the arena
 * of the call, and nothing keeps a pointer. A function that returns int returns 1 for yes or done
 * and 0 for no.
 */
#ifndef CULVERT_HELPERS_H
#define CULVERT_HELPERS_H

#include "culvert/plugin.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CULVERT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CULVERT_PRINTF(text, first)
#endif

/* True when the struct, as the other side sized it, reaches to the end of this member. */
#define CULVERT_HAS(type, pointer, member)                                                         \
  ((pointer)->size >= offsetof(type, member) + sizeof((pointer)->member))

/* --- views --------------------------------------------------------------------------------------
 */

static inline culvert_view culvert_view_of(const char *data, size_t size) {
  culvert_view view;
  view.data = data;
  view.size = size;
  return view;
}

/* Of a literal, or of any array of char that ends with a NUL. */
#define CULVERT_LITERAL(text) culvert_view_of((text), sizeof(text) - 1)

static inline culvert_view culvert_view_text(const char *text) {
  return culvert_view_of(text, text == NULL ? 0 : strlen(text));
}

static inline int culvert_view_equal(culvert_view left, culvert_view right) {
  return left.size == right.size &&
         (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

static inline char culvert_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* Ignoring the case of ASCII letters. */
static inline int culvert_view_same_word(culvert_view left, culvert_view right) {
  size_t place;
  if (left.size != right.size) {
    return 0;
  }
  for (place = 0; place < left.size; ++place) {
    if (culvert_lower(left.data[place]) != culvert_lower(right.data[place])) {
      return 0;
    }
  }
  return 1;
}

/* For secrets: takes a time that depends on the sizes only. */
static inline int culvert_view_equal_secret(culvert_view left, culvert_view right) {
  volatile unsigned char difference = 0;
  size_t place;
  if (left.size != right.size) {
    return 0;
  }
  for (place = 0; place < left.size; ++place) {
    difference = (unsigned char)(difference | ((unsigned char)left.data[place] ^
                                               (unsigned char)right.data[place]));
  }
  return difference == 0;
}

static inline int culvert_view_starts_with(culvert_view view, culvert_view start) {
  return view.size >= start.size &&
         culvert_view_equal(culvert_view_of(view.data, start.size), start);
}

/* What follows the first `count` bytes. */
static inline culvert_view culvert_view_after(culvert_view view, size_t count) {
  if (count >= view.size) {
    return culvert_view_of(NULL, 0);
  }
  return culvert_view_of(view.data + count, view.size - count);
}

/* Moves the part in front of the first separator from `rest` into `part`, and drops the separator.
   0 when nothing is left. "a,,b" has three parts, "a," has one, an empty view has none. */
static inline int culvert_view_split(culvert_view *rest, char separator, culvert_view *part) {
  const char *found;
  if (rest->size == 0) {
    return 0;
  }
  found = (const char *)memchr(rest->data, separator, rest->size);
  *part = culvert_view_of(rest->data, found == NULL ? rest->size : (size_t)(found - rest->data));
  *rest = culvert_view_after(*rest, part->size + 1);
  return 1;
}

/* Without the spaces and tabs around it. */
static inline culvert_view culvert_view_trim(culvert_view view) {
  while (view.size > 0 && (view.data[0] == ' ' || view.data[0] == '\t')) {
    view = culvert_view_after(view, 1);
  }
  while (view.size > 0 && (view.data[view.size - 1] == ' ' || view.data[view.size - 1] == '\t')) {
    --view.size;
  }
  return view;
}

/* Decimal digits and nothing else, at most `most`. */
static inline int culvert_view_number(culvert_view view, uint64_t most, uint64_t *number) {
  uint64_t value = 0;
  size_t place;
  if (view.size == 0) {
    return 0;
  }
  for (place = 0; place < view.size; ++place) {
    uint64_t digit = (uint64_t)(unsigned char)view.data[place] - '0';
    if (digit > 9 || digit > most || value > (most - digit) / 10) {
      return 0;
    }
    value = value * 10 + digit;
  }
  *number = value;
  return 1;
}

/* --- the arena ----------------------------------------------------------------------------------
 */

/* Zeroed room aligned for `alignment` (a power of two), or NULL when it does not fit. */
static inline void *culvert_arena_room(culvert_arena *arena, size_t size, size_t alignment) {
  size_t start = (arena->used + (alignment - 1)) & ~(alignment - 1);
  if (start > arena->capacity || size > arena->capacity - start) {
    return NULL;
  }
  arena->used = start + size;
  if (size > 0) {
    memset(arena->data + start, 0, size);
  }
  return arena->data + start;
}

static inline culvert_field *culvert_arena_fields(culvert_arena *arena, size_t count) {
  return count > arena->capacity / sizeof(culvert_field)
             ? NULL
             : (culvert_field *)culvert_arena_room(arena, count * sizeof(culvert_field),
                                                   sizeof(void *));
}

static inline culvert_view *culvert_arena_views(culvert_arena *arena, size_t count) {
  return count > arena->capacity / sizeof(culvert_view)
             ? NULL
             : (culvert_view *)culvert_arena_room(arena, count * sizeof(culvert_view),
                                                  sizeof(void *));
}

/* Makes `text` longer. It must be empty, or the last thing that was put into the arena. */
static inline int culvert_arena_append(culvert_arena *arena, culvert_view *text,
                                       culvert_view more) {
  if (text->size == 0) {
    text->data = arena->data + arena->used;
  }
  if (text->data + text->size != arena->data + arena->used ||
      more.size > arena->capacity - arena->used) {
    return 0;
  }
  if (more.size > 0) {
    memcpy(arena->data + arena->used, more.data, more.size);
  }
  arena->used += more.size;
  text->size += more.size;
  return 1;
}

/* A copy in the arena. */
static inline int culvert_arena_copy(culvert_arena *arena, culvert_view from, culvert_view *copy) {
  *copy = culvert_view_of(NULL, 0);
  return culvert_arena_append(arena, copy, from);
}

/* As printf; a view is printed with "%.*s" and CULVERT_PRINT(view). */
static inline int culvert_arena_format(culvert_arena *arena, culvert_view *text, const char *format,
                                       ...) CULVERT_PRINTF(3, 4);
static inline int culvert_arena_format(culvert_arena *arena, culvert_view *text, const char *format,
                                       ...) {
  char *start = arena->data + arena->used;
  size_t room = arena->capacity - arena->used;
  va_list arguments;
  int length;
  va_start(arguments, format);
  length = vsnprintf(start, room, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= room) { /* vsnprintf needs a byte more, for its NUL */
    return 0;
  }
  arena->used += (size_t)length;
  *text = culvert_view_of(start, (size_t)length);
  return 1;
}

#define CULVERT_PRINT(view) (int)(view).size, ((view).data == NULL ? "" : (view).data)

/* --- fields -------------------------------------------------------------------------------------
 */

static inline culvert_field culvert_field_of(culvert_view name, culvert_view value) {
  culvert_field field;
  memset(&field, 0, sizeof field);
  field.name = name;
  field.value = value;
  return field;
}

/* The value is never logged. */
static inline culvert_field culvert_field_secret(culvert_view name, culvert_view value) {
  culvert_field field = culvert_field_of(name, value);
  field.secret = 1;
  return field;
}

/* The first field of that name, ignoring case, or NULL. */
static inline const culvert_field *culvert_field_find(const culvert_field *fields, uint32_t count,
                                                      culvert_view name) {
  uint32_t place;
  for (place = 0; place < count; ++place) {
    if (culvert_view_same_word(fields[place].name, name)) {
      return &fields[place];
    }
  }
  return NULL;
}

/* --- statuses -----------------------------------------------------------------------------------
 */

/* Fills in a failure and returns 0, so that a function can end with it. The message is one sentence
   for an operator, without secrets. */
static inline uint32_t culvert_fail(culvert_status *status, uint32_t code, uint32_t source,
                                    uint32_t retry, const char *format, ...) CULVERT_PRINTF(5, 6);
static inline uint32_t culvert_fail(culvert_status *status, uint32_t code, uint32_t source,
                                    uint32_t retry, const char *format, ...) {
  va_list arguments;
  status->code = code;
  status->source = source;
  status->retry = retry;
  va_start(arguments, format);
  (void)vsnprintf(status->message, sizeof status->message, format, arguments);
  va_end(arguments);
  return 0;
}

/* The results did not fit into the arena. */
static inline uint32_t culvert_fail_room(culvert_status *status) {
  return culvert_fail(status, CULVERT_TOO_LARGE, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_NEVER,
                      "the result does not fit into the room of one call");
}

#ifdef __cplusplus
}
#endif
#endif
