# Carries out operations with Net::SFTP::Foreign, which speaks SFTP through `ssh`, one after the other over one session.
# README.md beside this file tells what it is given and what it puts out. It knows no exec.

use strict;
use warnings;
use Fcntl qw(:flock);
use JSON::PP;
use Net::SFTP::Foreign;
use Net::SFTP::Foreign::Constants qw(:flags);

my $login = decode_json($ARGV[0]);
my @options = map { ("-o", $_) } (
    "UserKnownHostsFile=$login->{knownHosts}",
    "StrictHostKeyChecking=yes",
    "IdentitiesOnly=yes",
    "IdentityFile=" . ($login->{key} // "none"),
    defined $login->{rekeyBytes} ? "RekeyLimit=$login->{rekeyBytes}" : (),
);
my $sftp = Net::SFTP::Foreign->new(
    host => "127.0.0.1",
    port => $login->{port},
    user => $login->{user},
    (defined $login->{password} ? (password => $login->{password}) : ()),
    more => [ "-F", "none", @options ],
    timeout => 20,
    autodie => 0,
);
if ($sftp->error) {
    print STDERR $sftp->error . "\n";
    exit 254;
}

sub append {
    my ($path, $text) = @_;
    my $file = $sftp->open($path, SSH2_FXF_WRITE | SSH2_FXF_APPEND) or return;
    $sftp->write($file, $text) // return;
    return $sftp->close($file);
}

my %operations = (
    put => sub { $sftp->put(@_) },
    get => sub { $sftp->get(@_) },
    list => sub { $sftp->ls($_[0], names_only => 1, ordered => 1, no_wanted => qr/^\.\.?$/) },
    append => \&append,
    symlink => sub { $sftp->symlink($_[1], $_[0]) },
    hardlink => sub { $sftp->hardlink($_[1], $_[0]) },
    readlink => sub { $sftp->readlink(@_) },
    mkdir => sub { $sftp->mkdir(@_) },
    rename => sub { $sftp->rename(@_) },
    remove => sub { $sftp->remove(@_) },
);

my @outcomes;
for my $operation (@{ decode_json(do { local $/; <STDIN> }) }) {
    my ($name, @parameters) = @$operation;
    my $value = $operations{$name}->(@parameters);
    if ($sftp->error) {
        push @outcomes, { error => "" . $sftp->error };
    } else {
        my $tells = $name eq "list" || $name eq "readlink";
        push @outcomes, { value => $tells ? $value : undef };
    }
}
print encode_json(\@outcomes);
