// Forwards with golang.org/x/crypto/ssh what it is asked to: README.md beside this file tells what that is, and how it
// answers.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

type requests struct {
	connection *ssh.Client
	listeners  map[string]net.Listener
}

func main() {
	asked := requests{connect(os.Args[1], os.Args[2], os.Args[3], os.Args[4]), map[string]net.Listener{}}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Split(lines.Text(), "\t")
		value, err := asked.carryOut(words[0], words[1:])
		if err != nil {
			fmt.Printf("error\t%s\n", err)
		} else {
			fmt.Printf("done\t%s\n", value)
		}
	}
	asked.connection.Close()
}

func connect(port, user, knownHosts, password string) *ssh.Client {
	hostKeys, err := knownhosts.New(knownHosts)
	check(err)
	configuration := &ssh.ClientConfig{
		User:            user,
		Auth:            []ssh.AuthMethod{ssh.Password(password)},
		HostKeyCallback: hostKeys,
	}
	connection, err := ssh.Dial("tcp", "127.0.0.1:"+port, configuration)
	check(err)
	check(agent.ForwardToRemote(connection, os.Getenv("SSH_AUTH_SOCK")))
	return connection
}

func (r *requests) carryOut(name string, words []string) (string, error) {
	switch name {
	case "connect":
		return "", r.exchange("tcp", net.JoinHostPort(words[0], words[1]), words[2], words[3])
	case "connect-socket":
		return "", r.exchange("unix", words[0], words[1], words[2])
	case "listen":
		return r.listen("tcp", net.JoinHostPort(words[0], words[1]))
	case "listen-socket":
		return r.listen("unix", words[0])
	case "cancel":
		return "", r.listeners[net.JoinHostPort(words[0], words[1])].Close()
	case "cancel-socket":
		return "", r.listeners[words[0]].Close()
	case "session":
		return r.session()
	}
	return "", fmt.Errorf("no request %s", name)
}

func (r *requests) exchange(network, target, source, got string) error {
	content, err := os.ReadFile(source)
	check(err)
	stream, err := r.connection.Dial(network, target)
	if err != nil {
		return err
	}
	defer stream.Close()
	if _, err := stream.Write(content); err != nil {
		return err
	}
	if err := stream.(ssh.Channel).CloseWrite(); err != nil {
		return err
	}
	received, err := io.ReadAll(stream)
	check(os.WriteFile(got, received, 0600))
	return err
}

func (r *requests) listen(network, address string) (string, error) {
	listener, err := r.connection.Listen(network, address)
	if err != nil {
		return "", err
	}
	r.listeners[listener.Addr().String()] = listener
	go func() {
		for {
			stream, err := listener.Accept()
			if err != nil {
				return
			}
			go echo(stream)
		}
	}()
	if network == "unix" {
		return "", nil
	}
	return fmt.Sprint(listener.Addr().(*net.TCPAddr).Port), nil
}

func echo(stream net.Conn) {
	io.Copy(stream, stream)
	stream.Close()
}

func (r *requests) session() (string, error) {
	session, err := r.connection.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	if err := agent.RequestAgentForwarding(session); err != nil {
		return "", err
	}
	output, err := session.Output("use")
	return string(output), err
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(254)
	}
}
