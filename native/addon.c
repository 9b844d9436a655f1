/* What JavaScript sees: the classes Sealer and Opener, pipes, and entries of directories. Every value from there is checked here. */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <node_api.h>
#include <string.h>
#include <unistd.h>

#include "entries.h"
#include "openssl.h"
#include "protection.h"

#define MOST_PARAMETERS 4
/* Bytes of the longest name of a cipher, with the zero behind it. */
#define LONGEST_NAME 32

static napi_value refuse_type(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

static napi_value refuse(napi_env env, const char *message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

/* The parameters of a call that has exactly `count`, and what its object protects packets with; false where an exception waits. */
static bool receive(napi_env env, napi_callback_info info, size_t count, napi_value *parameters,
                    struct protection **protection) {
  size_t given = MOST_PARAMETERS;
  napi_value self;
  void *data;
  if (napi_get_cb_info(env, info, &given, parameters, &self, NULL) != napi_ok || given != count) {
    return refuse_type(env, "wrong number of parameters") != NULL;
  }
  if (napi_unwrap(env, self, &data) != napi_ok) return refuse(env, "the keys are destroyed") != NULL;
  *protection = data;
  return true;
}

static bool read_bytes(napi_env env, napi_value value, struct bytes *bytes) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, &bytes->length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    return refuse_type(env, "not a Uint8Array") != NULL;
  }
  bytes->data = data;
  return true;
}

static bool read_uint32(napi_env env, napi_value value, uint32_t *number) {
  double given;
  if (napi_get_value_double(env, value, &given) != napi_ok) return refuse_type(env, "not a number") != NULL;
  if (!(given >= 0 && given <= UINT32_MAX) || given != (double)(uint32_t)given) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "not an unsigned integer of 32 bits");
    return false;
  }
  *number = (uint32_t)given;
  return true;
}

/* `length` bytes from `offset` on, which have to be in the array. */
static bool read_part(napi_env env, napi_value array, napi_value offset, napi_value length, struct bytes *part) {
  struct bytes all;
  uint32_t from;
  uint32_t count;
  if (!read_bytes(env, array, &all) || !read_uint32(env, offset, &from) || !read_uint32(env, length, &count)) {
    return false;
  }
  if (from > all.length || count > all.length - from) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "not within the array");
    return false;
  }
  part->data = all.data + from;
  part->length = count;
  return true;
}

static napi_value boolean(napi_env env, bool value) {
  napi_value result = NULL;
  napi_get_boolean(env, value, &result);
  return result;
}

/* True, or false where the tag is wrong, or an exception. */
static napi_value opened(napi_env env, enum result result) {
  switch (result) {
    case DONE:
      return boolean(env, true);
    case WRONG_TAG:
      return boolean(env, false);
    case OUT_OF_TURN:
      return refuse(env, "called out of turn or after a failure");
    case FAILED:
      break;
  }
  return refuse(env, "OpenSSL has failed");
}

/* seal(array, offset, length, sequenceNumber) */
static napi_value seal(napi_env env, napi_callback_info info) {
  napi_value parameters[MOST_PARAMETERS];
  struct protection *protection;
  struct bytes packet;
  uint32_t sequence_number;
  if (!receive(env, info, 4, parameters, &protection) ||
      !read_part(env, parameters[0], parameters[1], parameters[2], &packet) ||
      !read_uint32(env, parameters[3], &sequence_number)) {
    return NULL;
  }
  enum result result = protection_seal(protection, packet, sequence_number);
  return result == DONE ? NULL : opened(env, result);
}

/* readLength(array, offset, sequenceNumber): number */
static napi_value read_length(napi_env env, napi_callback_info info) {
  napi_value parameters[MOST_PARAMETERS];
  struct protection *protection;
  struct bytes header;
  uint32_t offset;
  uint32_t sequence_number;
  uint32_t length;
  if (!receive(env, info, 3, parameters, &protection) || !read_bytes(env, parameters[0], &header) ||
      !read_uint32(env, parameters[1], &offset) || !read_uint32(env, parameters[2], &sequence_number)) {
    return NULL;
  }
  if (offset > header.length || header.length - offset < protection_header_length(protection)) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "not within the array");
    return NULL;
  }
  enum result result = protection_read_length(protection, header.data + offset, sequence_number, &length);
  if (result != DONE) return opened(env, result);
  napi_value number = NULL;
  napi_create_uint32(env, length, &number);
  return number;
}

/* open(array, offset, length, sequenceNumber): boolean. The content is left where it lies, behind the length field. */
static napi_value open_packet(napi_env env, napi_callback_info info) {
  napi_value parameters[MOST_PARAMETERS];
  struct protection *protection;
  struct bytes packet;
  uint32_t sequence_number;
  if (!receive(env, info, 4, parameters, &protection) ||
      !read_part(env, parameters[0], parameters[1], parameters[2], &packet) ||
      !read_uint32(env, parameters[3], &sequence_number)) {
    return NULL;
  }
  return opened(env, protection_open(protection, packet, sequence_number));
}

/* destroy(): overwrites the keys at once; without it they are overwritten when the object is garbage. */
static napi_value destroy(napi_env env, napi_callback_info info) {
  napi_value self;
  void *data = NULL;
  if (napi_get_cb_info(env, info, NULL, NULL, &self, NULL) == napi_ok &&
      napi_remove_wrap(env, self, &data) == napi_ok) {
    protection_destroy(data);
  }
  return NULL;
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  protection_destroy(data);
}

static void finalize_contexts(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  contexts_release(data);
}

static const char *const cipher_names[] = {
    [CHACHA20_POLY1305] = "chacha20-poly1305",
    [AES_GCM] = "aes-gcm",
    [AES_CTR_ENCRYPT_THEN_MAC] = "aes-ctr encrypt-then-mac",
    [AES_CTR_ENCRYPT_AND_MAC] = "aes-ctr encrypt-and-mac",
};

static bool read_cipher(napi_env env, napi_value value, enum cipher *cipher) {
  char name[LONGEST_NAME];
  size_t length;
  if (napi_get_value_string_utf8(env, value, name, sizeof name, &length) == napi_ok) {
    for (size_t index = 0; index < sizeof cipher_names / sizeof *cipher_names; index++) {
      if (strcmp(name, cipher_names[index]) != 0) continue;
      *cipher = (enum cipher)index;
      return true;
    }
  }
  return refuse_type(env, "not the name of a cipher") != NULL;
}

/* new Sealer(cipher, key, iv, macKey), new Opener(cipher, key, iv, macKey); macKey is empty for an AEAD */
static napi_value construct(napi_env env, napi_callback_info info, enum direction direction) {
  size_t given = MOST_PARAMETERS;
  napi_value parameters[MOST_PARAMETERS];
  napi_value self;
  napi_value constructor = NULL;
  enum cipher cipher;
  struct keys keys;
  if (napi_get_cb_info(env, info, &given, parameters, &self, NULL) != napi_ok || given != 4 ||
      napi_get_new_target(env, info, &constructor) != napi_ok || constructor == NULL) {
    return refuse_type(env, "to be called with new and four parameters");
  }
  if (!read_cipher(env, parameters[0], &cipher) || !read_bytes(env, parameters[1], &keys.key) ||
      !read_bytes(env, parameters[2], &keys.iv) || !read_bytes(env, parameters[3], &keys.mac)) {
    return NULL;
  }
  void *contexts = NULL;
  if (napi_get_instance_data(env, &contexts) != napi_ok || contexts == NULL) return refuse(env, "there is no memory");
  struct protection *protection = protection_create(contexts, cipher, direction, &keys);
  if (protection == NULL) return refuse(env, "OpenSSL does not take these keys");
  if (napi_wrap(env, self, protection, finalize, NULL, NULL) != napi_ok) {
    protection_destroy(protection);
    return refuse(env, "the object cannot hold the keys");
  }
  return self;
}

static napi_value construct_sealer(napi_env env, napi_callback_info info) { return construct(env, info, SEALS); }
static napi_value construct_opener(napi_env env, napi_callback_info info) { return construct(env, info, OPENS); }

#ifdef __linux__
/* createPipe(): [readEnd, writeEnd], descriptors that no program has by itself. Node.js knows sockets only. */
static napi_value create_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  napi_value result;
  napi_value end;
  if (pipe2(ends, O_CLOEXEC) != 0) return refuse(env, strerror(errno));
  if (napi_create_array_with_length(env, 2, &result) == napi_ok && napi_create_int32(env, ends[0], &end) == napi_ok &&
      napi_set_element(env, result, 0, end) == napi_ok && napi_create_int32(env, ends[1], &end) == napi_ok &&
      napi_set_element(env, result, 1, end) == napi_ok) {
    return result;
  }
  close(ends[0]);
  close(ends[1]);
  return NULL;
}

/* The number of names, each of which has a NUL behind it; false where one has a slash, so that it would lead elsewhere. */
static bool count_names(const struct bytes *names, size_t *count) {
  if (names->length > 0 && names->data[names->length - 1] != 0) return false;
  *count = 0;
  for (size_t offset = 0; offset < names->length; offset++) {
    if (names->data[offset] == '/') return false;
    if (names->data[offset] == 0) ++*count;
  }
  return true;
}

/* lookAtEntries(descriptor, names, fields, milliseconds): number */
static napi_value look_at_entries(napi_env env, napi_callback_info info) {
  size_t given = MOST_PARAMETERS;
  napi_value parameters[MOST_PARAMETERS];
  napi_typedarray_type type;
  uint32_t descriptor;
  struct bytes names;
  size_t count;
  size_t room;
  void *fields;
  double milliseconds;
  if (napi_get_cb_info(env, info, &given, parameters, NULL, NULL) != napi_ok || given != 4) {
    return refuse_type(env, "wrong number of parameters");
  }
  if (!read_uint32(env, parameters[0], &descriptor) || !read_bytes(env, parameters[1], &names)) return NULL;
  if (napi_get_typedarray_info(env, parameters[2], &type, &room, &fields, NULL, NULL) != napi_ok ||
      type != napi_float64_array || napi_get_value_double(env, parameters[3], &milliseconds) != napi_ok) {
    return refuse_type(env, "not a Float64Array and a number");
  }
  if (descriptor > INT_MAX || !count_names(&names, &count) || count > room / ENTRY_FIELDS) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "no descriptor, no names, or more than there is room for");
    return NULL;
  }
  napi_value looked = NULL;
  napi_create_double(env, (double)entries_look((int)descriptor, (char *)names.data, count, fields, milliseconds), &looked);
  return looked;
}
#endif

#define METHOD(name, function) {name, NULL, function, NULL, NULL, NULL, napi_default, NULL}

/* exports: { Sealer, Opener, version, and on Linux createPipe, lookAtEntries }, or { missing } where the OpenSSL of the program cannot be used */
NAPI_MODULE_INIT() {
  const napi_property_descriptor of_sealer[] = {METHOD("seal", seal), METHOD("destroy", destroy)};
  const napi_property_descriptor of_opener[] = {METHOD("readLength", read_length), METHOD("open", open_packet),
                                                METHOD("destroy", destroy)};
  napi_value value;
  if (openssl_missing != NULL) {
    if (napi_create_string_utf8(env, openssl_missing, NAPI_AUTO_LENGTH, &value) != napi_ok ||
        napi_set_named_property(env, exports, "missing", value) != napi_ok) {
      return NULL;
    }
    return exports;
  }
  struct contexts *contexts = contexts_create();
  if (contexts == NULL) return refuse(env, "there is no memory");
  if (napi_set_instance_data(env, contexts, finalize_contexts, NULL) != napi_ok) {
    contexts_release(contexts);
    return NULL;
  }
  if (napi_define_class(env, "Sealer", NAPI_AUTO_LENGTH, construct_sealer, NULL, sizeof of_sealer / sizeof *of_sealer,
                        of_sealer, &value) != napi_ok ||
      napi_set_named_property(env, exports, "Sealer", value) != napi_ok ||
      napi_define_class(env, "Opener", NAPI_AUTO_LENGTH, construct_opener, NULL, sizeof of_opener / sizeof *of_opener,
                        of_opener, &value) != napi_ok ||
      napi_set_named_property(env, exports, "Opener", value) != napi_ok ||
      napi_create_string_utf8(env, openssl.OpenSSL_version(0), NAPI_AUTO_LENGTH, &value) != napi_ok ||
      napi_set_named_property(env, exports, "version", value) != napi_ok) {
    return NULL;
  }
#ifdef __linux__
  if (napi_create_function(env, "createPipe", NAPI_AUTO_LENGTH, create_pipe, NULL, &value) != napi_ok ||
      napi_set_named_property(env, exports, "createPipe", value) != napi_ok ||
      napi_create_function(env, "lookAtEntries", NAPI_AUTO_LENGTH, look_at_entries, NULL, &value) != napi_ok ||
      napi_set_named_property(env, exports, "lookAtEntries", value) != napi_ok) {
    return NULL;
  }
#endif
  return exports;
}
