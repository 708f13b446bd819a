# Prints the TCP ports of ADDRESS that answer somebody who comes from FROM: perl scan.pl FROM ADDRESS
# Perl, because it is on every Debian machine.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_ERROR);

my ( $from, $address ) = @ARGV;
my @ports = ( 1 .. 65535 );
my %port;
my %until;
my $select = IO::Select->new;
my @open;
while ( @ports || $select->count ) {
    while ( @ports && $select->count < 400 ) {
        my $next   = shift @ports;
        my $socket = IO::Socket::INET->new(
            Proto     => 'tcp',
            LocalAddr => $from,
            PeerAddr  => $address,
            PeerPort  => $next,
            Blocking  => 0
        ) or next;
        $port{$socket}  = $next;
        $until{$socket} = time + 8;
        $select->add($socket);
    }
    my @ready = $select->can_write(0.5);
    for my $socket (@ready) {
        push @open, $port{$socket} if getsockopt( $socket, SOL_SOCKET, SO_ERROR ) && unpack( 'i', getsockopt( $socket, SOL_SOCKET, SO_ERROR ) ) == 0;
    }
    for my $socket ( @ready, grep { $until{$_} < time } $select->handles ) {
        $select->remove($socket);
        close $socket;
    }
}
print "$_\n" for sort { $a <=> $b } @open;
