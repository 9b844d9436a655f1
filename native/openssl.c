#define _GNU_SOURCE
#include "openssl.h"

#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

/* Of another major version the prototypes are not known. */
#ifndef KNOWN_MAJOR_VERSION
#define KNOWN_MAJOR_VERSION 3
#endif

struct openssl openssl;
const char *openssl_missing;

/* A symbol of the program or of a library that it is linked with. */
static void *find_symbol(const char *name) {
#ifdef _WIN32
  FARPROC found = GetProcAddress(GetModuleHandleW(NULL), name);
  void *symbol;
  memcpy(&symbol, &found, sizeof symbol);
  return symbol;
#else
  return dlsym(RTLD_DEFAULT, name);
#endif
}

static void resolve(void *function, const char *name) {
  void *symbol = find_symbol(name);
  if (symbol == NULL && openssl_missing == NULL) openssl_missing = name;
  memcpy(function, &symbol, sizeof symbol);
}

static void resolve_all(void) {
#define RESOLVE(result, name, parameters) resolve(&openssl.name, #name);
  OPENSSL_FUNCTIONS(RESOLVE)
#undef RESOLVE
  if (openssl_missing == NULL && openssl.OPENSSL_version_major() != KNOWN_MAJOR_VERSION) {
    openssl_missing = "OPENSSL_version_major";
  }
}

/* While the library is loaded, before any thread can use it. */
#ifdef _WIN32
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved) {
  (void)instance;
  (void)reserved;
  if (reason == DLL_PROCESS_ATTACH) resolve_all();
  return TRUE;
}
#else
__attribute__((constructor)) static void on_load(void) { resolve_all(); }
#endif
