/*
 * Runs one command with libssh2: stdin to the command, its output and exit status to ours.
 *
 *   libssh2-exec PORT USER KNOWN_HOSTS (password VALUE | key FILE | answers A,B,C) COMPRESSION COMMAND
 *
 * COMPRESSION is 0 or 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libssh2.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static LIBSSH2_SESSION *session;
static int connection;
static char *answers;

static void fail(const char *what)
{
    char *message = "";
    if(session)
        libssh2_session_last_error(session, &message, NULL, 0);
    fprintf(stderr, "%s: %s\n", what, message);
    exit(254);
}

static void answer(const char *name, int name_length, const char *instruction, int instruction_length, int count,
                   const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts, LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses,
                   void **abstract)
{
    (void)name, (void)name_length, (void)instruction, (void)instruction_length, (void)prompts, (void)abstract;
    for(int i = 0; i < count; i++) {
        char *next = strsep(&answers, ",");
        responses[i].text = strdup(next ? next : "");
        responses[i].length = strlen(responses[i].text);
    }
}

static void open_connection(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection = socket(AF_INET, SOCK_STREAM, 0);
    if(connect(connection, (struct sockaddr *)&address, sizeof(address)))
        fail("connect");
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

static void authenticate(const char *user, const char *method, char *value)
{
    char *methods = libssh2_userauth_list(session, user, strlen(user));
    int refused;
    if(!methods)
        fail("authentication methods");
    answers = value;
    if(!strcmp(method, "password"))
        refused = libssh2_userauth_password(session, user, value);
    else if(!strcmp(method, "key"))
        refused = libssh2_userauth_publickey_fromfile(session, user, NULL, value, NULL);
    else
        refused = libssh2_userauth_keyboard_interactive(session, user, answer);
    if(refused)
        fail("authentication");
}

static void put(int descriptor, const char *data, size_t length)
{
    while(length > 0) {
        ssize_t count = write(descriptor, data, length);
        if(count < 0)
            exit(253);
        data += count;
        length -= count;
    }
}

/* Moves what can be read of one stream of the channel; true when something was. */
static int receive(LIBSSH2_CHANNEL *channel, int stream, int descriptor)
{
    static char buffer[65536];
    ssize_t count = libssh2_channel_read_ex(channel, stream, buffer, sizeof(buffer));
    if(count < 0 && count != LIBSSH2_ERROR_EAGAIN)
        fail("read");
    if(count > 0)
        put(descriptor, buffer, count);
    return count > 0;
}

static struct {
    char buffer[32768];
    ssize_t length, sent;
    enum { READING, ENDING, ENDED } state;
} input;

static void read_input(void)
{
    ssize_t count = read(STDIN_FILENO, input.buffer, sizeof(input.buffer));
    if(count == 0 || (count < 0 && errno != EAGAIN))
        input.state = ENDING;
    input.sent = 0;
    input.length = count > 0 ? count : 0;
}

/* Moves what stdin has to the channel; true when something was moved. */
static int forward(LIBSSH2_CHANNEL *channel)
{
    if(input.state == READING && input.sent == input.length)
        read_input();
    if(input.state == ENDING) {
        if(libssh2_channel_send_eof(channel) == LIBSSH2_ERROR_EAGAIN)
            return 0;
        input.state = ENDED;
        return 1;
    }
    if(input.sent == input.length)
        return 0;
    ssize_t count = libssh2_channel_write(channel, input.buffer + input.sent, input.length - input.sent);
    if(count < 0 && count != LIBSSH2_ERROR_EAGAIN)
        fail("write");
    if(count > 0)
        input.sent += count;
    return count > 0;
}

/* Waits until the connection, or stdin when all it gave has been sent, has something to do. */
static void wait_for_work(void)
{
    int wants_input = input.state == READING && input.sent == input.length;
    struct pollfd sources[2] = { { connection, POLLIN, 0 }, { wants_input ? STDIN_FILENO : -1, POLLIN, 0 } };
    if(libssh2_session_block_directions(session) & LIBSSH2_SESSION_BLOCK_OUTBOUND)
        sources[0].events |= POLLOUT;
    poll(sources, 2, 20);
}

static void relay(LIBSSH2_CHANNEL *channel)
{
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    libssh2_session_set_blocking(session, 0);
    while(!libssh2_channel_eof(channel)) {
        int moved = receive(channel, 0, STDOUT_FILENO);
        moved |= receive(channel, SSH_EXTENDED_DATA_STDERR, STDERR_FILENO);
        moved |= forward(channel);
        if(!moved)
            wait_for_work();
    }
    libssh2_session_set_blocking(session, 1);
}

int main(int count, char **values)
{
    if(count != 8)
        fail("usage");
    int port = atoi(values[1]);
    open_connection(port);
    libssh2_init(0);
    session = libssh2_session_init();
    libssh2_session_flag(session, LIBSSH2_FLAG_COMPRESS, atoi(values[6]));
    if(libssh2_session_handshake(session, connection))
        fail("handshake");
    check_host_key(values[3], port);
    authenticate(values[2], values[4], values[5]);

    LIBSSH2_CHANNEL *channel = libssh2_channel_open_session(session);
    if(!channel || libssh2_channel_exec(channel, values[7]))
        fail("exec");
    relay(channel);
    if(libssh2_channel_wait_closed(channel))
        fail("close");

    char *signal = NULL;
    size_t length;
    int status = libssh2_channel_get_exit_status(channel);
    libssh2_channel_get_exit_signal(channel, &signal, &length, NULL, NULL, NULL, NULL);
    if(signal) {
        fprintf(stderr, "exit-signal %.*s\n", (int)length, signal);
        status = 255;
    }
    libssh2_channel_free(channel);
    libssh2_session_disconnect(session, "done");
    libssh2_session_free(session);
    return status;
}
