/*
 * Carries out operations with libssh, one after the other over one connection.
 * README.md beside this file tells what it is given, line by line, and what it puts out.
 */
#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/sftp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 32768
#define MOST_FIELDS 8
#define MOST_NAMES 64

static ssh_session session;
static sftp_session files;

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
    uint64_t rekey = strtoull(values[6], NULL, 10);
    int strict = 0;
    ssh_key key = NULL;
    session = ssh_new();
    ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &strict);
    int no_delay = 1;
    ssh_options_set(session, SSH_OPTIONS_HOST, "127.0.0.1");
    ssh_options_set(session, SSH_OPTIONS_NODELAY, &no_delay);
    ssh_options_set(session, SSH_OPTIONS_PORT, &port);
    ssh_options_set(session, SSH_OPTIONS_USER, values[2]);
    ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, values[3]);
    ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
    if(rekey)
        ssh_options_set(session, SSH_OPTIONS_REKEY_DATA, &rekey);
    check(ssh_connect(session), "connect");
    check(ssh_session_is_known_server(session) != SSH_KNOWN_HOSTS_OK, "host key is not the known one");
    if(!strcmp(values[4], "password")) {
        check(ssh_userauth_password(session, NULL, values[5]) != SSH_AUTH_SUCCESS, "password");
    } else {
        check(ssh_pki_import_privkey_file(values[5], NULL, NULL, NULL, &key), "key file");
        check(ssh_userauth_publickey(session, NULL, key) != SSH_AUTH_SUCCESS, "key");
    }
}

static void decode(char *text)
{
    char *to = text;
    for(char *from = text; *from; from++, to++) {
        unsigned int byte;
        *to = *from;
        if(*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
            *to = byte;
            from += 2;
        }
    }
    *to = 0;
}

static void tell(const char *text)
{
    putchar('\t');
    for(; *text; text++)
        printf("%%%02x", (unsigned char)*text);
}

static int read_all(ssh_channel channel, int is_stderr, char *text, int size)
{
    int length = 0, count;
    while((count = ssh_channel_read(channel, text + length, size - 1 - length, is_stderr)) > 0)
        length += count;
    text[length] = 0;
    return count;
}

static int execute(char **fields)
{
    static char output[CHUNK], errors[CHUNK];
    ssh_channel channel = ssh_channel_new(session);
    if(ssh_channel_open_session(channel) || ssh_channel_request_exec(channel, fields[1]))
        return -1;
    /* A command that reads nothing may be over by now. */
    if(ssh_channel_write(channel, fields[2], strlen(fields[2])) >= 0)
        ssh_channel_send_eof(channel);
    if(read_all(channel, 0, output, CHUNK) || read_all(channel, 1, errors, CHUNK))
        return -1;
    printf("exec\t%d", ssh_channel_get_exit_status(channel));
    tell(output);
    tell(errors);
    ssh_channel_close(channel);
    ssh_channel_free(channel);
    return 0;
}

static int put(char **fields)
{
    static char buffer[CHUNK];
    int local = open(fields[1], O_RDONLY);
    sftp_file remote = sftp_open(files, fields[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ssize_t count;
    if(local < 0 || !remote)
        return -1;
    while((count = read(local, buffer, CHUNK)) > 0)
        if(sftp_write(remote, buffer, count) != count)
            return -1;
    close(local);
    return sftp_close(remote);
}

static int get(char **fields)
{
    static char buffer[CHUNK];
    int local = open(fields[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    sftp_file remote = sftp_open(files, fields[1], O_RDONLY, 0);
    ssize_t count;
    if(local < 0 || !remote)
        return -1;
    while((count = sftp_read(remote, buffer, CHUNK)) > 0)
        if(write(local, buffer, count) != count)
            return -1;
    close(local);
    return count < 0 ? -1 : sftp_close(remote);
}

static int append(char **fields)
{
    sftp_file file = sftp_open(files, fields[1], O_WRONLY | O_APPEND, 0);
    ssize_t length = strlen(fields[2]);
    if(!file || sftp_write(file, fields[2], length) != length)
        return -1;
    return sftp_close(file);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int list(char **fields)
{
    char *names[MOST_NAMES];
    int count = 0;
    sftp_dir directory = sftp_opendir(files, fields[1]);
    sftp_attributes entry;
    if(!directory)
        return -1;
    while(count < MOST_NAMES && (entry = sftp_readdir(files, directory))) {
        if(strcmp(entry->name, ".") && strcmp(entry->name, ".."))
            names[count++] = strdup(entry->name);
        sftp_attributes_free(entry);
    }
    qsort(names, count, sizeof(*names), by_name);
    printf("list");
    for(int i = 0; i < count; i++)
        tell(names[i]);
    return sftp_closedir(directory);
}

static int read_link(char **fields)
{
    char *target = sftp_readlink(files, fields[1]);
    if(!target)
        return -1;
    printf("text");
    tell(target);
    return 0;
}

static int make_link(char **fields)
{
    return sftp_symlink(files, fields[1], fields[2]);
}

static int make_directory(char **fields)
{
    return sftp_mkdir(files, fields[1], 0755);
}

static int rename_file(char **fields)
{
    return sftp_rename(files, fields[1], fields[2]);
}

static int remove_file(char **fields)
{
    return sftp_unlink(files, fields[1]);
}

static const struct {
    const char *name;
    int (*run)(char **fields);
    int tells;
} operations[] = {
    { "exec", execute, 1 }, { "put", put, 0 }, { "get", get, 0 }, { "append", append, 0 }, { "list", list, 1 },
    { "symlink", make_link, 0 }, { "readlink", read_link, 1 }, { "mkdir", make_directory, 0 },
    { "rename", rename_file, 0 }, { "remove", remove_file, 0 },
};

static void carry_out(char **fields)
{
    int needs_files = strcmp(fields[0], "exec");
    if(needs_files && !files) {
        files = sftp_new(session);
        check(!files || sftp_init(files), "sftp");
    }
    for(size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
        if(!strcmp(operations[i].name, fields[0])) {
            if(operations[i].run(fields)) {
                printf("error");
                tell(needs_files ? "status" : ssh_get_error(session));
                if(needs_files)
                    printf("%%20%%3%d", sftp_get_error(files));
            } else if(!operations[i].tells) {
                printf("null");
            }
            putchar('\n');
            return;
        }
    fail(fields[0]);
}

int main(int count, char **values)
{
    char *line = NULL;
    size_t size = 0;
    if(count != 7)
        fail("usage");
    log_in(values);
    while(getline(&line, &size, stdin) > 0) {
        char *fields[MOST_FIELDS] = { 0 }, *rest = line;
        line[strcspn(line, "\n")] = 0;
        for(int i = 0; i < MOST_FIELDS && rest; i++)
            decode(fields[i] = strsep(&rest, "\t"));
        carry_out(fields);
    }
    if(files)
        sftp_free(files);
    ssh_disconnect(session);
    ssh_free(session);
    return 0;
}
