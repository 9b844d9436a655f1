<?php

// Carries out operations with phpseclib, one after the other over one connection.
// README.md beside this file tells what it is given and what it puts out.

require 'phpseclib3/autoload.php';

use phpseclib3\Crypt\PublicKeyLoader;
use phpseclib3\Net\SFTP;

function connect(array $login): SFTP
{
    $connection = new SFTP('127.0.0.1', $login['port'], 20);
    $hostKey = $connection->getServerPublicHostKey();
    [, $blob] = explode(' ', $hostKey);
    if (!str_contains(file_get_contents($login['knownHosts']), ' ' . $blob . "\n")) {
        fail('host key is not the known one: ' . $hostKey);
    }
    $secret = isset($login['key'])
        ? PublicKeyLoader::load(file_get_contents($login['key']))
        : $login['password'];
    if (!$connection->login($login['user'], $secret)) {
        fail('authentication');
    }
    return $connection;
}

function execute(SFTP $connection, string $command, string $input): array
{
    $connection->enableQuietMode();
    if ($input !== '') {
        throw new RuntimeException('exec() of phpseclib gives a command no input');
    }
    $output = $connection->exec($command);
    return [
        'status' => $connection->getExitStatus(),
        'stdout' => $output,
        'stderr' => $connection->getStdError(),
    ];
}

function listNames(SFTP $connection, string $path): array
{
    $names = array_values(array_diff($connection->nlist($path), ['.', '..']));
    sort($names);
    return $names;
}

function carryOut(SFTP $connection, string $name, array $parameters): mixed
{
    return match ($name) {
        'exec' => execute($connection, ...$parameters),
        'put' => $connection->put($parameters[1], $parameters[0], SFTP::SOURCE_LOCAL_FILE),
        'get' => $connection->get(...$parameters),
        'list' => listNames($connection, ...$parameters),
        'append' => $connection->put($parameters[0], $parameters[1], SFTP::SOURCE_STRING | SFTP::RESUME),
        'symlink', 'readlink', 'mkdir', 'rename' => $connection->$name(...$parameters),
        'remove' => $connection->delete(...$parameters),
    };
}

function fail(string $message): never
{
    fwrite(STDERR, $message . "\n");
    exit(254);
}

$connection = connect(json_decode($argv[1], true));
$outcomes = [];
foreach (json_decode(stream_get_contents(STDIN), true) as $operation) {
    $name = array_shift($operation);
    $value = carryOut($connection, $name, $operation);
    $outcomes[] = $value === false
        ? ['error' => $connection->getLastSFTPError()]
        : ['value' => $value === true ? null : $value];
}
$connection->disconnect();
echo json_encode($outcomes);
