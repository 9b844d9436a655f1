/*
 * Forwards with libssh what it is asked to: README.md beside this file tells what that is, and how it answers.
 */
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK 32768
#define MOST_WORDS 8
#define MOST_AGENT_CHANNELS 8
#define TIMEOUT 20000

static ssh_session session;

/* The channels that the server has opened to the agent, and what leads there. */
static struct {
    ssh_channel channel;
    int socket;
} agents[MOST_AGENT_CHANNELS];
static int agent_count;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, session ? ssh_get_error(session) : "");
    exit(254);
}

static void check(int result, const char *what)
{
    if(result)
        fail(what);
}

static void log_in(char **values)
{
    unsigned int port = atoi(values[1]);
    int strict = 0, no_delay = 1;
    session = ssh_new();
    ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &strict);
    ssh_options_set(session, SSH_OPTIONS_HOST, "127.0.0.1");
    ssh_options_set(session, SSH_OPTIONS_NODELAY, &no_delay);
    ssh_options_set(session, SSH_OPTIONS_PORT, &port);
    ssh_options_set(session, SSH_OPTIONS_USER, values[2]);
    ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, values[3]);
    ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
    check(ssh_connect(session), "connect");
    check(ssh_session_is_known_server(session) != SSH_KNOWN_HOSTS_OK, "host key is not the known one");
    check(ssh_userauth_password(session, NULL, values[4]) != SSH_AUTH_SUCCESS, "password");
}

static int done(void)
{
    printf("done\t\n");
    return 0;
}

static int exchange(ssh_channel channel, const char *source, const char *got)
{
    static char buffer[CHUNK];
    FILE *from = fopen(source, "rb"), *to = fopen(got, "wb");
    size_t length;
    int count;
    if(!from || !to)
        fail("files");
    while((length = fread(buffer, 1, CHUNK, from)) > 0)
        if(ssh_channel_write(channel, buffer, length) != (int)length)
            return -1;
    ssh_channel_send_eof(channel);
    while((count = ssh_channel_read(channel, buffer, CHUNK, 0)) > 0)
        fwrite(buffer, 1, count, to);
    fclose(from);
    fclose(to);
    ssh_channel_close(channel);
    ssh_channel_free(channel);
    return count ? -1 : done();
}

static int connect_port(char **words)
{
    ssh_channel channel = ssh_channel_new(session);
    if(ssh_channel_open_forward(channel, words[1], atoi(words[2]), "127.0.0.1", 0))
        return -1;
    return exchange(channel, words[3], words[4]);
}

static int connect_socket(char **words)
{
    ssh_channel channel = ssh_channel_new(session);
    if(ssh_channel_open_forward_unix(channel, words[1], "127.0.0.1", 0))
        return -1;
    return exchange(channel, words[2], words[3]);
}

static int listen_port(char **words)
{
    int bound = atoi(words[2]);
    if(ssh_channel_listen_forward(session, words[1], bound, &bound))
        return -1;
    printf("done\t%d\n", bound);
    return 0;
}

static int cancel(char **words)
{
    return ssh_channel_cancel_forward(session, words[1], atoi(words[2])) ? -1 : done();
}

/* Gives back what comes, until its end. */
static int echo(ssh_channel channel)
{
    static char buffer[CHUNK];
    int count;
    while((count = ssh_channel_read(channel, buffer, CHUNK, 0)) > 0)
        if(ssh_channel_write(channel, buffer, count) != count)
            return -1;
    ssh_channel_send_eof(channel);
    ssh_channel_close(channel);
    ssh_channel_free(channel);
    return count;
}

static int accept_connection(char **words)
{
    int port, originator_port;
    char *originator = NULL;
    ssh_channel channel = ssh_channel_open_forward_port(session, TIMEOUT, &port, &originator, &originator_port);
    (void)words;
    ssh_string_free_char(originator);
    return channel && !echo(channel) ? done() : -1;
}

static ssh_channel open_agent(ssh_session of, void *nothing)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int agent = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)nothing;
    strncpy(address.sun_path, getenv("SSH_AUTH_SOCK"), sizeof(address.sun_path) - 1);
    if(agent_count == MOST_AGENT_CHANNELS || connect(agent, (struct sockaddr *)&address, sizeof(address)))
        return NULL;
    agents[agent_count].socket = agent;
    return agents[agent_count++].channel = ssh_channel_new(of);
}

/* Moves what there is between the channels and the agent. */
static void relay(void)
{
    static char buffer[CHUNK];
    for(int i = 0; i < agent_count; i++) {
        struct pollfd source = { agents[i].socket, POLLIN, 0 };
        int count = ssh_channel_read_nonblocking(agents[i].channel, buffer, CHUNK, 0);
        if(count > 0 && write(agents[i].socket, buffer, count) != count)
            fail("agent");
        if(poll(&source, 1, 0) == 1 && (count = read(agents[i].socket, buffer, CHUNK)) > 0)
            ssh_channel_write(agents[i].channel, buffer, count);
    }
}

static int run_session(char **words)
{
    static char output[CHUNK];
    int length = 0, count;
    ssh_channel x11, channel = ssh_channel_new(session);
    (void)words;
    if(ssh_channel_open_session(channel) || ssh_channel_request_auth_agent(channel) ||
       ssh_channel_request_x11(channel, 0, NULL, NULL, 0) || ssh_channel_request_exec(channel, "use"))
        return -1;
    while(!ssh_channel_is_eof(channel)) {
        if((count = ssh_channel_read_timeout(channel, output + length, CHUNK - 1 - length, 0, 10)) < 0)
            return -1;
        length += count;
        relay();
        if((x11 = ssh_channel_accept_x11(channel, 0)) && echo(x11))
            return -1;
    }
    printf("done\t%.*s\n", length, output);
    ssh_channel_close(channel);
    ssh_channel_free(channel);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(char **words);
} requests[] = {
    { "connect", connect_port }, { "connect-socket", connect_socket }, { "listen", listen_port },
    { "accept", accept_connection }, { "cancel", cancel }, { "session", run_session },
};

static void carry_out(char **words)
{
    for(size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        if(!strcmp(requests[i].name, words[0])) {
            if(requests[i].run(words))
                printf("error\t%s\n", ssh_get_error(session));
            fflush(stdout);
            return;
        }
    fail(words[0]);
}

int main(int count, char **values)
{
    struct ssh_callbacks_struct callbacks = { .channel_open_request_auth_agent_function = open_agent };
    char *line = NULL;
    size_t size = 0;
    if(count != 5)
        fail("usage");
    log_in(values);
    ssh_callbacks_init(&callbacks);
    ssh_set_callbacks(session, &callbacks);
    while(getline(&line, &size, stdin) > 0) {
        char *words[MOST_WORDS] = { 0 }, *rest = line;
        line[strcspn(line, "\n")] = 0;
        for(int i = 0; i < MOST_WORDS && rest; i++)
            words[i] = strsep(&rest, "\t");
        carry_out(words);
    }
    ssh_disconnect(session);
    ssh_free(session);
    return 0;
}
