# Prints which of these TCP ports answer somebody who comes from FROM: perl scan.pl FROM ADDRESS PORT...
# Perl, because it is on every Debian machine.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_ERROR);

my ( $from, $address, @ports ) = @ARGV;

# A process may have a thousand sockets open.
while ( my @some = splice @ports, 0, 500 ) {
    my %port;
    my $waiting = IO::Select->new;
    for my $port (@some) {
        my $socket = IO::Socket::INET->new(
            Proto     => 'tcp',
            LocalAddr => $from,
            PeerAddr  => $address,
            PeerPort  => $port,
            Blocking  => 0
        ) or die "port $port: $@";
        $port{$socket} = $port;
        $waiting->add($socket);
    }
    # What a firewall drops never answers.
    my $end = time + 15;
    while ( $waiting->count && time < $end ) {
        for my $socket ( $waiting->can_write(1) ) {
            print "$port{$socket}\n" if unpack( 'i', getsockopt( $socket, SOL_SOCKET, SO_ERROR ) ) == 0;
            $waiting->remove($socket);
        }
    }
}
