%% Carries out operations with Erlang's ssh, one after the other over one connection.
%% README.md beside this file tells what it is given, line by line, and what it puts out.
-module(erlang_client).
-export([main/0]).

-define(TIMEOUT, 20000).

main() ->
    Connection = connect(init:get_plain_arguments()),
    put(connection, Connection),
    put(files, none),
    carry_out_all(),
    ssh:close(Connection),
    halt(0).

connect([Port, User, KnownHosts, Method, Secret, RekeyBytes]) ->
    {ok, _} = application:ensure_all_started(ssh),
    Folder = filename:dirname(KnownHosts),
    Credential = case Method of
        "password" -> [{password, Secret}, {auth_methods, "password"}];
        "key" -> [{auth_methods, "publickey"}]
    end,
    Limit = case list_to_integer(RekeyBytes) of
        0 -> [];
        Bytes -> [{rekey_limit, Bytes}]
    end,
    %% It reads the keys and the known hosts of the folder.
    Options = [{user, User}, {user_dir, Folder}, {silently_accept_hosts, false}, {user_interaction, false}, {quiet_mode, true},
               {save_accepted_host, false} | Credential ++ Limit],
    case ssh:connect("127.0.0.1", list_to_integer(Port), Options, ?TIMEOUT) of
        {ok, Connection} -> Connection;
        {error, Reason} -> io:format(standard_error, "~p~n", [Reason]), halt(254)
    end.

carry_out_all() ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            Encoded = string:split(string:trim(Line, trailing, "\n"), "\t", all),
            [Name | Parameters] = [uri_string:percent_decode(Field) || Field <- Encoded],
            io:put_chars([told(carry_out(Name, Parameters)), "\n"]),
            carry_out_all()
    end.

told(ok) -> "null";
told({error, Reason}) -> ["error", encoded(io_lib:format("~p", [Reason]))];
told({text, Text}) -> ["text", encoded(Text)];
told({list, Names}) -> ["list" | [encoded(Name) || Name <- Names]];
told({exec, Status, Output, Errors}) -> ["exec\t", integer_to_list(Status), encoded(Output), encoded(Errors)].

encoded(Text) -> ["\t", uri_string:quote(unicode:characters_to_list(Text))].

carry_out("exec", [Command, Input]) -> exec(Command, Input);
carry_out(Name, Parameters) -> on_files(files(), Name, Parameters).

files() ->
    case get(files) of
        none ->
            {ok, Files} = ssh_sftp:start_channel(get(connection), [{timeout, ?TIMEOUT}]),
            put(files, Files),
            Files;
        Files -> Files
    end.

on_files(Files, "put", [Local, Remote]) ->
    {ok, Content} = file:read_file(Local),
    ssh_sftp:write_file(Files, Remote, Content);
on_files(Files, "get", [Remote, Local]) ->
    {ok, Content} = ssh_sftp:read_file(Files, Remote),
    file:write_file(Local, Content);
on_files(Files, "append", [Path, Text]) ->
    {ok, Handle} = ssh_sftp:open(Files, Path, [append, binary]),
    ok = ssh_sftp:write(Files, Handle, list_to_binary(Text)),
    ssh_sftp:close(Files, Handle);
on_files(Files, "list", [Path]) ->
    {ok, Names} = ssh_sftp:list_dir(Files, Path),
    {list, lists:sort(Names) -- [".", ".."]};
%% It calls the first of the two the path, but sends them as they come: to OpenSSH the first is the target.
on_files(Files, "symlink", [Target, Path]) -> ssh_sftp:make_symlink(Files, Target, Path);
on_files(Files, "readlink", [Path]) ->
    {ok, Target} = ssh_sftp:read_link(Files, Path),
    {text, Target};
on_files(Files, "mkdir", [Path]) -> ssh_sftp:make_dir(Files, Path);
on_files(Files, "rename", [From, To]) -> ssh_sftp:rename(Files, From, To);
on_files(Files, "remove", [Path]) -> ssh_sftp:delete(Files, Path).

exec(Command, Input) ->
    {ok, Channel} = ssh_connection:session_channel(get(connection), ?TIMEOUT),
    success = ssh_connection:exec(get(connection), Channel, Command, ?TIMEOUT),
    %% A command that reads nothing may be over by now.
    _ = ssh_connection:send(get(connection), Channel, Input),
    _ = ssh_connection:send_eof(get(connection), Channel),
    receive_all(Channel, {-1, [], []}).

receive_all(Channel, {Status, Output, Errors}) ->
    receive
        {ssh_cm, _, {data, Channel, 0, Data}} ->
            ssh_connection:adjust_window(get(connection), Channel, byte_size(Data)),
            receive_all(Channel, {Status, [Output, Data], Errors});
        {ssh_cm, _, {data, Channel, 1, Data}} -> receive_all(Channel, {Status, Output, [Errors, Data]});
        {ssh_cm, _, {exit_status, Channel, New}} -> receive_all(Channel, {New, Output, Errors});
        {ssh_cm, _, {eof, Channel}} -> receive_all(Channel, {Status, Output, Errors});
        {ssh_cm, _, {closed, Channel}} -> {exec, Status, Output, Errors}
    after ?TIMEOUT -> {error, timeout}
    end.
