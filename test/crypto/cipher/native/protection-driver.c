/*
 * Seals packets, changes some of them, and opens them; built with the sanitizers. All memory is as long as what is in it, so that
 * a step beyond it is seen. As a program, decides by chance for so many seconds and 3,000 packets, and prints how many there were;
 * built for libFuzzer (GUIDED), by the bytes that it is given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../../../native/openssl.h"
#include "../../../../native/protection.h"

#define LONGEST_CONTENT 5000
#define LEAST_PACKETS 3000

unsigned long ERR_peek_error(void);

static uint64_t state;

/* SplitMix64 */
static uint64_t next(void) {
  uint64_t mixed = state += 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

#ifdef GUIDED
static const uint8_t *guide;
static size_t guide_length;

static uint64_t choose(void) {
  if (guide_length < 2) return next();
  uint64_t choice = (uint64_t)guide[0] << 8 | guide[1];
  guide += 2;
  guide_length -= 2;
  return choice;
}
#else
static uint64_t choose(void) { return next(); }
#endif

static size_t below(size_t limit) { return (size_t)(choose() % limit); }

static void expect(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "%s (state %llu)\n", what, (unsigned long long)state);
  abort();
}

static struct bytes random_bytes(size_t length) {
  struct bytes made = {malloc(length), length};
  for (size_t index = 0; index < length; index++) made.data[index] = (uint8_t)next();
  return made;
}

static struct bytes copy_of(const uint8_t *data, size_t length) {
  struct bytes made = {malloc(length), length};
  if (length > 0) memcpy(made.data, data, length);
  return made;
}

static const struct {
  enum cipher cipher;
  size_t key, iv, mac;
} suites[] = {
    {CHACHA20_POLY1305, 64, 0, 0},         {AES_GCM, 16, 12, 0},
    {AES_GCM, 32, 12, 0},                  {AES_CTR_ENCRYPT_THEN_MAC, 16, 16, 32},
    {AES_CTR_ENCRYPT_THEN_MAC, 24, 16, 64}, {AES_CTR_ENCRYPT_AND_MAC, 16, 16, 32},
    {AES_CTR_ENCRYPT_AND_MAC, 32, 16, 64},
};
#define SUITES (sizeof suites / sizeof *suites)

/* Of all protections, which work by turns. */
static struct contexts *contexts;

/* Opens a copy of a packet; what is left of it, which is to be freed, is zeros where that fails. */
static enum result open_copy(struct protection *opener, struct bytes packet, uint32_t sequence_number,
                             struct bytes *left) {
  uint32_t packet_length;
  if (packet.length >= protection_header_length(opener)) {
    struct bytes header = copy_of(packet.data, protection_header_length(opener));
    expect(protection_read_length(opener, header.data, sequence_number, &packet_length) == DONE, "no length");
    free(header.data);
  }
  *left = copy_of(packet.data, packet.length);
  return protection_open(opener, *left, sequence_number);
}

/* A pair of each cipher that works between the packets of others. */
static struct {
  struct protection *sealer, *opener;
  uint32_t packets;
} bystanders[SUITES];

static void create_bystanders(void) {
  for (size_t suite = 0; suite < SUITES; suite++) {
    struct keys keys = {random_bytes(suites[suite].key), random_bytes(suites[suite].iv), random_bytes(suites[suite].mac)};
    bystanders[suite].sealer = protection_create(contexts, suites[suite].cipher, SEALS, &keys);
    bystanders[suite].opener = protection_create(contexts, suites[suite].cipher, OPENS, &keys);
    free(keys.key.data);
    free(keys.iv.data);
    free(keys.mac.data);
  }
}

static void let_bystander_work(void) {
  size_t chosen = below(SUITES);
  struct protection *sealer = bystanders[chosen].sealer;
  uint32_t sequence_number = bystanders[chosen].packets++;
  struct bytes packet = random_bytes(LENGTH_FIELD + 32 + protection_tag_length(sealer));
  struct bytes clear = copy_of(packet.data + LENGTH_FIELD, 32);
  struct bytes left;
  expect(protection_seal(sealer, packet, sequence_number) == DONE, "a bystander does not seal");
  expect(open_copy(bystanders[chosen].opener, packet, sequence_number, &left) == DONE, "a bystander does not open");
  expect(memcmp(left.data + LENGTH_FIELD, clear.data, clear.length) == 0, "a bystander opens something else");
  free(packet.data);
  free(clear.data);
  free(left.data);
}

#ifndef GUIDED
static void destroy_bystanders(void) {
  for (size_t suite = 0; suite < SUITES; suite++) {
    protection_destroy(bystanders[suite].sealer);
    protection_destroy(bystanders[suite].opener);
  }
}
#endif

/* A few packets under one set of keys, up to the first that was changed. */
static unsigned long run(void) {
  unsigned long packets = 0;
  size_t suite = below(SUITES);
  enum cipher cipher = suites[suite].cipher;
  struct keys keys = {random_bytes(suites[suite].key), random_bytes(suites[suite].iv), random_bytes(suites[suite].mac)};
  struct protection *sealer = protection_create(contexts, cipher, SEALS, &keys);
  struct protection *opener = protection_create(contexts, cipher, OPENS, &keys);
  expect(sealer != NULL && opener != NULL, "no protection");
  size_t tag = protection_tag_length(sealer);
  for (bool changed = false; !changed && packets < 20; packets++) {
    uint32_t sequence_number = (uint32_t)next();
    size_t least = protection_header_length(sealer) - LENGTH_FIELD;
    size_t length = least + below(choose() % 8 == 0 ? LONGEST_CONTENT : 200);
    struct bytes packet = random_bytes(LENGTH_FIELD + length + tag);
    struct bytes clear = copy_of(packet.data + LENGTH_FIELD, length);
    if (choose() & 1) let_bystander_work();
    expect(protection_seal(sealer, packet, sequence_number) == DONE, "not sealed");
    if (choose() & 1) let_bystander_work();
    changed = choose() % 4 == 0;
    if (changed && choose() % 4 == 0) {
      packet.length = below(packet.length);
    } else if (changed) {
      packet.data[below(packet.length)] ^= (uint8_t)(1 + below(255));
    }
    struct bytes left;
    bool has_header = packet.length >= protection_header_length(opener);
    enum result result = open_copy(opener, packet, sequence_number, &left);
    if (!changed) {
      expect(result == DONE && memcmp(left.data + LENGTH_FIELD, clear.data, length) == 0, "not opened");
    } else {
      expect(result == WRONG_TAG || (!has_header && result == OUT_OF_TURN), "a changed packet was opened");
      for (size_t index = 0; result == WRONG_TAG && index < left.length; index++) {
        expect(left.data[index] == 0, "something is left of a packet");
      }
      expect(!has_header || protection_open(opener, packet, sequence_number) == OUT_OF_TURN, "goes on");
    }
    expect(ERR_peek_error() == 0, "an error is left in OpenSSL's queue");
    free(packet.data);
    free(clear.data);
    free(left.data);
  }
  protection_destroy(sealer);
  protection_destroy(opener);
  /* Keys of a wrong length. */
  struct bytes *part = &(&keys.key)[below(3)];
  part->length = below(part->length + 1);
  enum cipher other = (enum cipher)below(4);
  protection_destroy(protection_create(contexts, other, choose() & 1 ? SEALS : OPENS, &keys));
  expect(ERR_peek_error() == 0, "an error of wrong keys is left in OpenSSL's queue");
  free(keys.key.data);
  free(keys.iv.data);
  free(keys.mac.data);
  return packets;
}

/* The contexts remain as long as a protection does. */
static void start(void) {
  expect(openssl_missing == NULL, openssl_missing);
  contexts = contexts_create();
  create_bystanders();
  contexts_release(contexts);
}

#ifdef GUIDED
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  if (contexts == NULL) start();
  state = length;
  guide = data;
  guide_length = length;
  run();
  return 0;
}
#else
int main(int count, char **arguments) {
  if (count != 3) return 2;
  state = strtoull(arguments[1], NULL, 10);
  time_t end = time(NULL) + atol(arguments[2]);
  unsigned long packets = 0;
  start();
  while (packets < LEAST_PACKETS || time(NULL) < end) packets += run();
  destroy_bystanders();
  printf("%lu\n", packets);
  return 0;
}
#endif
