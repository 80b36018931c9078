# The root is what deploy/base-images.sh made of Debian's packages. User and signals are those of haproxy:2.6.
FROM scratch
ADD root.tar /
USER haproxy
# Takes no more connections, and ends when those it has are done.
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
