/* Starting threads. Header-only, as CLinux.h, which includes it. */
#ifndef HAVEN_THREAD_H
#define HAVEN_THREAD_H

#include <pthread.h>

/* Starts a detached thread; 0 or -errno. */
static inline long haven_thread_start_detached(void *(*body)(void *), void *context) {
    pthread_t thread;
    int failure = pthread_create(&thread, NULL, body, context);
    if (failure == 0) pthread_detach(thread);
    return -(long)failure;
}

/* Names the calling thread (up to 15 bytes), keeps signals away from it and puts it under SCHED_OTHER. */
static inline void haven_thread_become_worker(const char *name) {
    sigset_t all;
    struct sched_param normal = {.sched_priority = 0};
    prctl(PR_SET_NAME, name, 0, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    sched_setscheduler(0, SCHED_OTHER, &normal);
}

#endif
