# The root is what deploy/base-images.sh made of Debian's packages. Settings and user are those of postgres:15.
FROM scratch
ADD root.tar /
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
EXPOSE 5432
USER postgres
# Fast shutdown: who is connected is sent away, what is committed is written.
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-start"]
CMD ["postgres"]
