/*
 * Forwards with libssh2 what it is asked to: README.md beside this file tells what that is, and how it answers.
 */
#include <arpa/inet.h>
#include <libssh2.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 32768
#define MOST_WORDS 8
#define TIMEOUT 20000

static LIBSSH2_SESSION *session;
static int connection;
static LIBSSH2_LISTENER *listener;
static LIBSSH2_CHANNEL *x11;

static const char *last_error(void)
{
    char *message = "";
    if(session)
        libssh2_session_last_error(session, &message, NULL, 0);
    return message;
}

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, last_error());
    exit(254);
}

static void check_host_key(const char *file, int port)
{
    size_t length;
    int type;
    const char *key = libssh2_session_hostkey(session, &length, &type);
    LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(session);
    int mask = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW;
    if(libssh2_knownhost_readfile(hosts, file, LIBSSH2_KNOWNHOST_FILE_OPENSSH) < 0)
        fail("known hosts");
    if(libssh2_knownhost_checkp(hosts, "127.0.0.1", port, key, length, mask, NULL) != LIBSSH2_KNOWNHOST_CHECK_MATCH)
        fail("host key is not the known one");
    libssh2_knownhost_free(hosts);
}

static void log_in(int port, const char *user, const char *known_hosts, const char *password)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection = socket(AF_INET, SOCK_STREAM, 0);
    if(connect(connection, (struct sockaddr *)&address, sizeof(address)))
        fail("connect");
    libssh2_init(0);
    session = libssh2_session_init();
    libssh2_session_set_timeout(session, TIMEOUT);
    if(libssh2_session_handshake(session, connection))
        fail("handshake");
    check_host_key(known_hosts, port);
    if(libssh2_userauth_password(session, user, password))
        fail("password");
}

static int done(void)
{
    printf("done\t\n");
    return 0;
}

static int send_all(LIBSSH2_CHANNEL *channel, const char *data, ssize_t length)
{
    while(length > 0) {
        ssize_t count = libssh2_channel_write(channel, data, length);
        if(count < 0)
            return -1;
        data += count;
        length -= count;
    }
    return 0;
}

static int connect_port(char **words)
{
    static char buffer[CHUNK];
    FILE *from = fopen(words[3], "rb"), *to = fopen(words[4], "wb");
    LIBSSH2_CHANNEL *channel = libssh2_channel_direct_tcpip_ex(session, words[1], atoi(words[2]), "127.0.0.1", 0);
    ssize_t count;
    if(!from || !to)
        fail("files");
    if(!channel)
        return -1;
    while((count = fread(buffer, 1, CHUNK, from)) > 0)
        if(send_all(channel, buffer, count))
            return -1;
    libssh2_channel_send_eof(channel);
    while((count = libssh2_channel_read(channel, buffer, CHUNK)) > 0)
        fwrite(buffer, 1, count, to);
    fclose(from);
    fclose(to);
    return count || libssh2_channel_free(channel) ? -1 : done();
}

static int listen_port(char **words)
{
    int bound;
    listener = libssh2_channel_forward_listen_ex(session, words[1], atoi(words[2]), &bound, 16);
    if(!listener)
        return -1;
    printf("done\t%d\n", bound);
    return 0;
}

static int cancel(char **words)
{
    (void)words;
    return libssh2_channel_forward_cancel(listener) ? -1 : done();
}

/* Gives back what comes, until its end. */
static int echo(LIBSSH2_CHANNEL *channel)
{
    static char buffer[CHUNK];
    ssize_t count;
    while((count = libssh2_channel_read(channel, buffer, CHUNK)) > 0)
        if(send_all(channel, buffer, count))
            return -1;
    libssh2_channel_send_eof(channel);
    return count || libssh2_channel_free(channel) ? -1 : 0;
}

static int accept_connection(char **words)
{
    LIBSSH2_CHANNEL *channel = libssh2_channel_forward_accept(listener);
    (void)words;
    return channel && !echo(channel) ? done() : -1;
}

static void open_x11(LIBSSH2_SESSION *of, LIBSSH2_CHANNEL *channel, char *host, int port, void **nothing)
{
    (void)of, (void)host, (void)port, (void)nothing;
    x11 = channel;
}

/* Gives back what comes from the X client, if there is one by now. */
static void echo_x11(void)
{
    if(!x11)
        return;
    libssh2_session_set_blocking(session, 1);
    if(echo(x11))
        fail("x11");
    libssh2_session_set_blocking(session, 0);
    x11 = NULL;
}

static int run_session(char **words)
{
    static char output[CHUNK];
    ssize_t length = 0, count;
    LIBSSH2_CHANNEL *channel = libssh2_channel_open_session(session);
    (void)words;
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_X11, (void *)open_x11);
    if(!channel || libssh2_channel_x11_req(channel, 0) || libssh2_channel_exec(channel, "use"))
        return -1;
    libssh2_session_set_blocking(session, 0);
    while(!libssh2_channel_eof(channel)) {
        struct pollfd source = { connection, POLLIN, 0 };
        count = libssh2_channel_read(channel, output + length, CHUNK - length);
        if(count > 0)
            length += count;
        else if(count == LIBSSH2_ERROR_EAGAIN && !x11)
            poll(&source, 1, 20);
        else if(count < 0 && count != LIBSSH2_ERROR_EAGAIN)
            return -1;
        echo_x11();
    }
    libssh2_session_set_blocking(session, 1);
    libssh2_channel_free(channel);
    printf("done\t%.*s\n", (int)length, output);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(char **words);
} requests[] = {
    { "connect", connect_port }, { "listen", listen_port }, { "accept", accept_connection },
    { "cancel", cancel }, { "session", run_session },
};

static void carry_out(char **words)
{
    for(size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        if(!strcmp(requests[i].name, words[0])) {
            if(requests[i].run(words))
                printf("error\t%s\n", last_error());
            fflush(stdout);
            return;
        }
    fail(words[0]);
}

int main(int count, char **values)
{
    char *line = NULL;
    size_t size = 0;
    if(count != 5)
        fail("usage");
    log_in(atoi(values[1]), values[2], values[3], values[4]);
    while(getline(&line, &size, stdin) > 0) {
        char *words[MOST_WORDS] = { 0 }, *rest = line;
        line[strcspn(line, "\n")] = 0;
        for(int i = 0; i < MOST_WORDS && rest; i++)
            words[i] = strsep(&rest, "\t");
        carry_out(words);
    }
    libssh2_session_disconnect(session, "done");
    libssh2_session_free(session);
    return 0;
}
