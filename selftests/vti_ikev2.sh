#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vti with an IKE daemon: strongSwan negotiates the states and policies, and
# replaces them while a connection goes through the tunnel.
#
#              a                                        b
#   +---------------------+                  +---------------------+
#   | charon              | <---- IKEv2 ---> |              charon |
#   | vti1, 10.2.1.1  va -+------------------+- vb  vti1, 10.2.1.2 |
#   +---------------------+                  +---------------------+
#                    10.0.0.1/24        10.0.0.2/24
#
#   Child `one` has mark 1 and is for vti1, `two` has mark 2 and is for vti2,
#   between the same addresses. The peer does not hear of marks: it knows which
#   child is wanted by what is to be protected, 10.2.1.0/24 or 10.2.2.0/24.

. "$(dirname "$0")/lib.sh"
load_tunnels vti
need swanctl python3
charon=$(PATH=$PATH:/usr/sbin:/usr/lib/ipsec command -v charon-systemd) ||
	skip "charon-systemd is not installed"
kernel_has esp4 || skip "this kernel has no esp4"
kernel_has xfrm_user || skip "this kernel has no xfrm_user"

namespaces a b
ipv6_on a
ipv6_on b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24

# --- the daemons ---

daemon_settings() {
	cat <<-END
		charon {
			load_modular = yes
			install_routes = no
			install_virtual_ip = no
			plugins {
				include /etc/strongswan.d/charon/*.conf
				vici {
					socket = unix://$work/$1.vici
				}
			}
			filelog {
				log {
					path = $work/$1.charon
					default = 1
					flush_line = yes
				}
			}
		}
	END
}

child() {
	cat <<-END
		$1 {
			local_ts = 10.2.$2.0/24,fd02:$2::/64
			remote_ts = 10.2.$2.0/24,fd02:$2::/64
			mark_in = $2
			mark_out = $2
			esp_proposals = aes128-sha256
			replay_window = 1024
			rekey_time = ${rekey:-3600}s
			life_time = 7200s
			rand_time = 0s
		}
	END
}

# connection ME PEER MY_ADDRESS ITS_ADDRESS: what swanctl loads.
connection() {
	cat <<-END
		connections {
			gateways {
				version = 2
				local_addrs = $3
				remote_addrs = $4
				proposals = aes128-sha256-ecp256,aes128-sha256-modp2048
				rekey_time = 3600s
				encap = ${encap:-no}
				local {
					auth = psk
					id = $1.example
				}
				remote {
					auth = psk
					id = $2.example
				}
				children {
					$(child one 1)
					$(child two 2)
				}
			}
		}
		secrets {
			ike-1 {
				id-1 = a.example
				id-2 = b.example
				secret = "not a secret"
			}
		}
	END
}

swan() {
	local ns=$1 what=$2
	shift 2
	on "$ns" swanctl "--$what" --uri "unix://$work/$ns.vici" "$@"
}

# initiate CHILD: a does. If it fails, the reason is in the log of b.
initiate() {
	swan a initiate --child "$1" && return
	tail -n 40 "$work/b.charon"
	return 1
}

load() {
	connection a b 10.0.0.1 10.0.0.2 >"$work/a.swanctl"
	connection b a 10.0.0.2 10.0.0.1 >"$work/b.swanctl"
	for ns in a b; do
		swan $ns load-creds --file "$work/$ns.swanctl"
		swan $ns load-conns --file "$work/$ns.swanctl"
	done
}

# Each with a /run of its own: there can be only one otherwise.
start_daemon() {
	local ns=$1
	daemon_settings "$ns" >"$work/$ns.conf"
	show "$ns" charon-systemd
	STRONGSWAN_CONF=$work/$ns.conf ip netns exec "$NS_PREFIX-$ns" \
		sh -c "mount -t tmpfs run /run && exec $charon" >"$work/$ns.out" 2>&1 &
	background+=($!)
	wait_until 60 test -S "$work/$ns.vici" ||
		{ cat "$work/$ns.out" "$work/$ns.charon"; return 1; }
}
start_daemon a
start_daemon b

# --- words ---

vti() {
	local n=$1
	on a ip link add "vti$n" type vti local 10.0.0.1 remote 10.0.0.2 key "$n"
	on b ip link add "vti$n" type vti local 10.0.0.2 remote 10.0.0.1 key "$n"
	for ns in a b; do
		# what fits after encryption, or TCP's first packet is an error
		on $ns ip link set "vti$n" mtu 1400 up
	done
	on a ip addr add "10.2.$n.1/24" dev "vti$n"
	on b ip addr add "10.2.$n.2/24" dev "vti$n"
	on a ip addr add "fd02:$n::1/64" dev "vti$n"
	on b ip addr add "fd02:$n::2/64" dev "vti$n"
}

spis() { ip -n "$NS_PREFIX-$1" xfrm state | awk '$1 == "proto" { print $4 }' | sort | xargs; }

spis_differ() { [ -n "$(spis a)" ] && [ "$(spis a)" != "$1" ]; }

no_errors() {
	local dev ns name
	for ns in a b; do
		for dev; do
			on $ns ethtool -S "$dev"
			for name in rx_errors tx_errors rx_dropped tx_dropped; do
				equal "$name of $dev in $ns" 0 "$(counter $ns $dev $name)"
			done
		done
	done
}

# --- cases ---

negotiated() {
	load
	vti 1
	initiate one
	ping_ok a 10.2.1.2
	ping_ok b 10.2.1.1
	ping_ok a fd02:1::2
	no_errors vti1
}

only_esp() {
	capture a va "$work/va.pcap" 'not arp and not icmp6'
	ping_ok a 10.2.1.2 -p 706c61696e2d74657874
	ping_ok a fd02:1::2 -p 706c61696e2d74657874
	captured
	equal "packets of another protocol" 0 \
		"$(on a tcpdump -n -r "$work/va.pcap" "not ip proto ${1:-50}" | grep -c . || true)"
	[ "$(on a tcpdump -n -r "$work/va.pcap" "ip proto ${1:-50}" | grep -c .)" -ge 12 ]
	fails grep -aq plain-text "$work/va.pcap"
}

# One TCP connection that goes on sending until it is told to stop; at the end
# both sides say how much it was, and what its checksum is.
stream_server='
import hashlib, socket
listener = socket.create_server(("10.2.1.2", 7000))
c, _ = listener.accept()
digest, size = hashlib.sha256(), 0
while True:
    data = c.recv(65536)
    if not data:
        break
    digest.update(data)
    size += len(data)
print(size, digest.hexdigest())'
stream_client='
import hashlib, os, socket, sys, time
c = socket.create_connection(("10.2.1.2", 7000))
digest, size = hashlib.sha256(), 0
while not os.path.exists(sys.argv[1]):
    block = hashlib.sha256(b"%d" % size).digest() * 64
    c.sendall(block)
    digest.update(block)
    size += len(block)
    open(sys.argv[1] + ".size", "w").write(str(size))
    time.sleep(0.005)
c.close()
print(size, digest.hexdigest())'

stream_has_sent() { [ "$(cat "$work/stop.size" 2>/dev/null || echo 0)" -gt "$1" ]; }

start_stream() {
	rm -f "$work/stop" "$work/stop.size"
	ip netns exec "$NS_PREFIX-b" python3 -c "$stream_server" >"$work/received" 2>&1 &
	server=$!
	wait_until 30 listens b 7000
	ip netns exec "$NS_PREFIX-a" python3 -c "$stream_client" "$work/stop" >"$work/sent" 2>&1 &
	client=$!
	wait_until 30 stream_has_sent 20000
}

stream_goes_on() {
	wait_until 180 stream_has_sent $(($(cat "$work/stop.size") + 50000))
}

end_stream() {
	touch "$work/stop"
	wait $client
	wait $server
	say "sent and received: $(cat "$work/sent")"
	equal "what was received" "$(cat "$work/sent")" "$(cat "$work/received")"
}

# rekeyed COMMAND...: the command makes for new states.
rekeyed() {
	local before
	before=$(spis a)
	"$@"
	wait_until 60 spis_differ "$before"
	stream_goes_on
}

rekeyed_under_traffic() {
	start_stream
	for _ in 1 2 3; do
		rekeyed swan a rekey --child one
		rekeyed swan b rekey --child one
	done
	swan a rekey --ike gateways
	stream_goes_on
	rekeyed swan b rekey --child one
	end_stream
	no_errors vti1
}

# The daemons replace the states by themselves, once and again.
rekeyed_by_time() {
	local old
	swan a terminate --ike gateways
	rekey=4
	load
	initiate one
	start_stream
	for _ in 1 2 3; do
		old=$(spis a)
		wait_until 60 spis_differ "$old"
		stream_goes_on
	done
	end_stream
	ping_ok a fd02:1::2
}

# What is received carries no mark: the policy says which device it is for.
same_ends() {
	local before
	swan a terminate --ike gateways
	load
	vti 2
	initiate one
	initiate two
	ping_ok a 10.2.1.2
	before=$(counter b vti1 rx_packets)
	ping_ok a 10.2.2.2
	ping_ok b 10.2.2.1
	equal "rx_packets of vti1" "$before" "$(counter b vti1 rx_packets)"
	ping_ok b 10.2.1.1
	before=$(spis a)
	swan a rekey --child two
	wait_until 60 spis_differ "$before"
	ping_ok a 10.2.2.2
	ping_ok a 10.2.1.2
}

in_udp() {
	swan a terminate --ike gateways
	encap=yes
	load
	initiate one
	ping_ok a 10.2.1.2
	only_esp 17
	encap=no
}

# Without states and policies nothing goes at all.
terminated() {
	swan a terminate --ike gateways
	capture a va "$work/va.pcap" 'not arp and not icmp6 and not udp port 500 and not udp port 4500'
	ping_lost a 10.2.1.2
	captured
	equal "packets" 0 "$(on a tcpdump -n -r "$work/va.pcap" | grep -c . || true)"
	! culvert || [ "$(drops a vti1 tx_no_policy)" -ge 3 ]
}

check "negotiated: IPv4 and IPv6 go through" negotiated
check "only ESP is on the wire" only_esp
check "rekeyed under traffic, from both sides: no packet and no connection is lost" rekeyed_under_traffic
check "rekeyed by time, under traffic" rekeyed_by_time
# In-tree: File exists.
! culvert || check "two devices between the same addresses" same_ends
check "ESP in UDP" in_udp
check "terminated: nothing leaves in plain" terminated

finish
