# Forwards with Net::SSH what it is asked to: README.md beside this file tells what that is, and how it answers.

require "net/ssh"

# Net::SSH itself writes to stdout when the server opens a channel.
$answers = $stdout.dup
$stdout = $stderr

def listen(connection, address, port, target)
  host, target_port = target.split(":")
  bound = nil
  connection.forward.remote(target_port.to_i, host, port.to_i, address) { |chosen| bound = chosen }
  connection.loop { bound.nil? }
  raise "the server does not listen" if bound == :error

  bound
end

def cancel(connection, address, port)
  connection.forward.cancel_remote(port.to_i, address)
  connection.loop { connection.forward.active_remotes.include?([port.to_i, address]) }
end

def session(connection)
  output = +""
  connection.open_channel do |channel|
    connection.forward.agent(channel)
    channel.exec("use") { |_, accepted| raise "exec was refused" unless accepted }
    channel.on_data { |_, data| output << data }
  end.wait
  output
end

def carry_out(connection, name, words)
  case name
  when "forward" then connection.forward.local(0, *words)
  when "forward-socket" then connection.forward.local_socket(*words.reverse)
  when "listen" then listen(connection, *words)
  when "cancel" then cancel(connection, *words)
  when "session" then session(connection)
  else raise name
  end
end

port, user, known_hosts, password = ARGV
options = {
  port: port.to_i,
  config: false,
  non_interactive: true,
  use_agent: false,
  user_known_hosts_file: known_hosts,
  global_known_hosts_file: [],
  verify_host_key: :always,
  password: password,
  auth_methods: ["password"]
}
Net::SSH.start("127.0.0.1", user, options) do |connection|
  loop do
    connection.process(0.005)
    next unless $stdin.wait_readable(0)
    break unless (line = $stdin.gets)

    name, *words = line.chomp.split("\t")
    begin
      $answers.puts("done\t#{carry_out(connection, name, words)}")
    rescue Net::SSH::Exception => error
      $answers.puts("error\t#{error.message}")
    end
    $answers.flush
  end
end
