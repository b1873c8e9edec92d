/*
 * GNU and Linux functions that glibc shows only under _GNU_SOURCE, declared by hand. That macro must not be set here: it
 * changes types that Foundation's view of glibc has too (fd_set, rusage), and a Swift module that imports both would not
 * compile.
 */
#ifndef HAVEN_GNU_H
#define HAVEN_GNU_H

#ifndef _GNU_SOURCE
int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int ends[2], int flags);
ssize_t splice(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t length, unsigned flags);
int memfd_create(const char *name, unsigned flags);
int setns(int fd, int kind);
int unshare(int flags);
int setresuid(uid_t real, uid_t effective, uid_t saved);
int setresgid(gid_t real, gid_t effective, gid_t saved);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

#define POSIX_SPAWN_SETSID 0x80

#define MFD_CLOEXEC 1U
#define MFD_ALLOW_SEALING 2U
#define SCHED_RESET_ON_FORK 0x40000000
#define SPLICE_F_MOVE 1
#define SPLICE_F_NONBLOCK 2
#define SPLICE_F_MORE 4
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#define F_ADD_SEALS 1033
#define CLONE_NEWNS 0x00020000
#define CLONE_NEWNET 0x40000000

struct ucred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
#endif

#endif
