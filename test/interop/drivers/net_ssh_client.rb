# Carries out operations with Net::SSH and Net::SFTP, one after the other over one connection.
# README.md beside this file tells what it is given and what it puts out.

require "json"
require "net/ssh"
require "net/sftp"

def exec(connection, command, input)
  result = { status: nil, stdout: +"", stderr: +"" }
  connection.open_channel do |channel|
    channel.exec(command) do |_, accepted|
      raise "exec was refused" unless accepted

      channel.on_data { |_, data| result[:stdout] << data }
      channel.on_extended_data { |_, _, data| result[:stderr] << data }
      channel.on_request("exit-status") { |_, data| result[:status] = data.read_long }
      channel.send_data(input)
      channel.eof!
    end
  end
  connection.loop
  result
end

def list(files, path)
  files.dir.entries(path).map(&:name).reject { |name| [".", ".."].include?(name) }.sort
end

def append(files, path, text)
  files.file.open(path, "a") { |file| file.write(text) }
end

def carry_out(connection, name, parameters)
  return exec(connection, *parameters) if name == "exec"

  files = connection.sftp
  case name
  when "list" then list(files, *parameters)
  when "append" then append(files, *parameters)
  when "put" then files.upload!(*parameters)
  when "get" then files.download!(*parameters)
  when "readlink" then files.readlink!(*parameters).name
  # It calls the first of the two the path, but sends them as they come: to OpenSSH the first is the target.
  when "symlink" then files.symlink!(*parameters)
  else files.public_send("#{name}!", *parameters)
  end
end

def outcome(connection, name, parameters)
  value = carry_out(connection, name, parameters)
  { value: [String, Array, Hash].any? { |type| value.is_a?(type) } ? value : nil }
rescue Net::SFTP::StatusException => error
  { error: error.message }
end

login = JSON.parse(ARGV[0])
options = {
  port: login["port"],
  config: false,
  non_interactive: true,
  use_agent: false,
  user_known_hosts_file: login["knownHosts"],
  global_known_hosts_file: [],
  verify_host_key: :always
}
if login["key"]
  options.update(keys: [login["key"]], keys_only: true, auth_methods: ["publickey"])
else
  options.update(password: login["password"], auth_methods: ["password"])
end
options[:rekey_limit] = login["rekeyBytes"] if login["rekeyBytes"]
Net::SSH.start("127.0.0.1", login["user"], options) do |connection|
  outcomes = JSON.parse($stdin.read).map { |name, *parameters| outcome(connection, name, parameters) }
  puts JSON.generate(outcomes)
end
