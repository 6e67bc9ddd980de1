/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The domain under which the cluster's Services are ("cluster.local" on most): a kubelet puts
 * NAMESPACE.svc.DOMAIN, svc.DOMAIN and DOMAIN into a pod's search list, and nothing in the API
 * says it. Outside of the cluster it stays unknown.
 */
#ifndef LLMD_K8SCLIENT_CLUSTER_DOMAIN_H
#define LLMD_K8SCLIENT_CLUSTER_DOMAIN_H

/* From the text of a resolv.conf (the last search line counts, resolv.conf(5)); owned, or NULL. */
char *cluster_domain_of(const char *resolv_conf);

/* Of this pod: /etc/resolv.conf. Owned; NULL when it is not known. */
char *cluster_domain_find(void);

#endif
