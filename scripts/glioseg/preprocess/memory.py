"""What the C library is told of a job's memory before it starts."""

# Volumes come and go by the dozen. Left to itself, glibc gives each back and asks for its pages anew, one fault for
# every 4 kB; kept, and in huge pages, they save preprocessing a fifth of its time. Other C libraries don't read this.
TUNABLES = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296"
