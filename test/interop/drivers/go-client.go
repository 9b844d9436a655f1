// Carries out operations with golang.org/x/crypto/ssh and github.com/pkg/sftp, one after the other over one connection.
// README.md beside this file tells what it is given and what it puts out.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

type login struct {
	Port       int
	User       string
	Password   string
	Key        string
	KnownHosts string
	RekeyBytes uint64
}

type outcome struct {
	Value any    `json:"value"`
	Error string `json:"error,omitempty"`
}

type client struct {
	connection *ssh.Client
	files      *sftp.Client
}

func main() {
	var options login
	check(json.Unmarshal([]byte(os.Args[1]), &options))
	var operations [][]string
	check(json.NewDecoder(os.Stdin).Decode(&operations))
	connected := client{connection: connect(options)}
	outcomes := []outcome{}
	for _, operation := range operations {
		value, err := connected.carryOut(operation[0], operation[1:])
		if err != nil {
			outcomes = append(outcomes, outcome{Error: err.Error()})
		} else {
			outcomes = append(outcomes, outcome{Value: value})
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(outcomes))
	connected.connection.Close()
}

func connect(options login) *ssh.Client {
	hostKeys, err := knownhosts.New(options.KnownHosts)
	check(err)
	method := ssh.Password(options.Password)
	if options.Key != "" {
		content, err := os.ReadFile(options.Key)
		check(err)
		signer, err := ssh.ParsePrivateKey(content)
		check(err)
		method = ssh.PublicKeys(signer)
	}
	configuration := &ssh.ClientConfig{
		Config:          ssh.Config{RekeyThreshold: options.RekeyBytes},
		User:            options.User,
		Auth:            []ssh.AuthMethod{method},
		HostKeyCallback: hostKeys,
	}
	connection, err := ssh.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", options.Port), configuration)
	check(err)
	return connection
}

func (c *client) carryOut(name string, parameters []string) (any, error) {
	if name == "exec" {
		return c.exec(parameters[0], parameters[1])
	}
	if c.files == nil {
		files, err := sftp.NewClient(c.connection)
		if err != nil {
			return nil, err
		}
		c.files = files
	}
	switch name {
	case "put":
		return nil, c.put(parameters[0], parameters[1])
	case "get":
		return nil, c.get(parameters[0], parameters[1])
	case "list":
		return c.list(parameters[0])
	case "append":
		return nil, c.append(parameters[0], parameters[1])
	case "symlink":
		return nil, c.files.Symlink(parameters[0], parameters[1])
	case "hardlink":
		return nil, c.files.Link(parameters[0], parameters[1])
	case "readlink":
		return c.files.ReadLink(parameters[0])
	case "mkdir":
		return nil, c.files.Mkdir(parameters[0])
	case "rename":
		return nil, c.files.Rename(parameters[0], parameters[1])
	case "remove":
		return nil, c.files.Remove(parameters[0])
	}
	return nil, errors.New("no operation " + name)
}

func (c *client) exec(command, input string) (any, error) {
	session, err := c.connection.NewSession()
	if err != nil {
		return nil, err
	}
	defer session.Close()
	var output, errorOutput bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader(input), &output, &errorOutput
	status := 0
	var exit *ssh.ExitError
	if err := session.Run(command); errors.As(err, &exit) {
		status = exit.ExitStatus()
	} else if err != nil {
		return nil, err
	}
	return map[string]any{"status": status, "stdout": output.String(), "stderr": errorOutput.String()}, nil
}

func (c *client) put(local, remote string) error {
	source, err := os.Open(local)
	if err != nil {
		return err
	}
	target, err := c.files.Create(remote)
	if err != nil {
		return err
	}
	if _, err = target.ReadFrom(source); err != nil {
		return err
	}
	return target.Close()
}

func (c *client) get(remote, local string) error {
	source, err := c.files.Open(remote)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(local)
	if err != nil {
		return err
	}
	if _, err = io.Copy(target, source); err != nil {
		return err
	}
	return target.Close()
}

func (c *client) list(path string) (any, error) {
	found, err := c.files.ReadDir(path)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, file := range found {
		names = append(names, file.Name())
	}
	sort.Strings(names)
	return names, nil
}

// The library writes at a position even where the flag says that the server appends.
func (c *client) append(path, text string) error {
	file, err := c.files.OpenFile(path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return err
	}
	if _, err = file.Write([]byte(text)); err != nil {
		return err
	}
	return file.Close()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(254)
	}
}
