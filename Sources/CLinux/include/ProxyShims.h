/* Shims of the data plane; the same rules as in CLinux.h, which includes this file. */
#ifndef HAVEN_PROXY_SHIMS_H
#define HAVEN_PROXY_SHIMS_H

#include <poll.h>
#include <pthread.h>


/* connect(2) to an address given as raw bytes of a sockaddr_in or sockaddr_in6. */
static inline long haven_tcp_socket(int family) {
    return HAVEN_RESULT(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
}
/* Makes close(2) send RST instead of FIN and forget unsent data. */
static inline void haven_reset_on_close(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}
static inline long haven_close_with_reset(int fd) {
    haven_reset_on_close(fd);
    return HAVEN_RESULT(close(fd));
}
static inline long haven_epoll_wait_ms(int epoll, struct haven_epoll_event *events, int capacity, int timeout_ms) {
    return HAVEN_RESULT(epoll_wait(epoll, (struct epoll_event *)events, capacity, timeout_ms));
}
/* Waits for one descriptor; > 0: ready, 0: time is over. */
static inline long haven_poll_one(int fd, short events, int timeout_ms) {
    struct pollfd one = {.fd = fd, .events = events};
    return HAVEN_RESULT(poll(&one, 1, timeout_ms));
}

#define HAVEN_MOST_DESCRIPTORS 64

/* Sends bytes with `count` descriptors (at most HAVEN_MOST_DESCRIPTORS) attached to the first of them. */
static inline long haven_send_descriptors(int socket, const void *buffer, size_t size, const int *descriptors, int count) {
    struct iovec vector = {(void *)buffer, size};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * HAVEN_MOST_DESCRIPTORS)];
    if (count < 0 || count > HAVEN_MOST_DESCRIPTORS) return -EINVAL;
    memset(control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)count);
    }
    return HAVEN_RESULT(sendmsg(socket, &message, MSG_NOSIGNAL));
}
/* Receives bytes and the descriptors attached to them; `descriptors` has room for HAVEN_MOST_DESCRIPTORS. */
static inline long haven_recv_descriptors(int socket, void *buffer, size_t size, int *descriptors, int *count) {
    struct iovec vector = {buffer, size};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * HAVEN_MOST_DESCRIPTORS)];
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *count = 0;
    long result = HAVEN_RESULT(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
    if (result < 0) return result;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
            int held = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            if (*count + held > HAVEN_MOST_DESCRIPTORS) held = HAVEN_MOST_DESCRIPTORS - *count;
            memcpy(descriptors + *count, CMSG_DATA(header), sizeof(int) * (size_t)held);
            *count += held;
        }
    return result;
}

/* Runs body(argument) on a new thread; 0 and its handle, or -errno. */
static inline long haven_thread_start(pthread_t *thread, void *(*body)(void *), void *argument) {
    return -(long)pthread_create(thread, NULL, body, argument);
}
static inline long haven_thread_join(pthread_t thread) { return -(long)pthread_join(thread, NULL); }

/* splice(2) to a socket whose peer is gone raises SIGPIPE whatever its flags say. */
static inline void haven_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

/* Becomes another user for good: no groups, no capabilities, no way to gain privileges by exec. */
static inline long haven_drop_privileges(uid_t uid, gid_t gid) {
    long result = HAVEN_RESULT(setgroups(0, NULL));
    if (result < 0) return result;
    if ((result = HAVEN_RESULT(setresgid(gid, gid, gid))) < 0) return result;
    if ((result = HAVEN_RESULT(setresuid(uid, uid, uid))) < 0) return result;
    return HAVEN_RESULT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}
static inline long haven_no_new_privileges(void) { return HAVEN_RESULT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }
/* uid and gid of a user; -ENOENT when there is none of that name. */
static inline long haven_find_user(const char *name, uid_t *uid, gid_t *gid) {
    char buffer[4096];
    struct passwd entry, *found = NULL;
    int result = getpwnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (result != 0 || !found) return result == 0 ? -ENOENT : -(long)result;
    *uid = entry.pw_uid;
    *gid = entry.pw_gid;
    return 0;
}
/* Raises the number of descriptors as far as the hard limit allows and says what it is now. */
static inline long haven_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -(long)errno;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 1000000 ? 1000000 : (long)limit.rlim_cur;
}
/* Leaves the namespaces of these kinds for fresh ones. */
static inline long haven_unshare(int kinds) { return HAVEN_RESULT(unshare(kinds)); }
/* Private memory that costs nothing until it is touched; NULL on failure. */
static inline void *haven_map_private(size_t size) {
    void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return address == MAP_FAILED ? NULL : address;
}
/* Gives the pages back to the kernel; they read as zero afterwards. */
static inline void haven_forget_pages(void *address, size_t size) { madvise(address, size, MADV_DONTNEED); }

#endif
