# The root is what deploy/base-images.sh made of Debian's packages.
FROM scratch
ADD root.tar /
CMD ["bash"]
