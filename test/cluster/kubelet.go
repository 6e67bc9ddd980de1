// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

const (
	nodeName     = "node-0"
	leaseSeconds = 40
	readyAfter   = 200 * time.Millisecond

	// What a pod's annotations may say about its fate.
	annotationReadyAfter      = "scripted-kubelet/ready-after"        // duration until Ready
	annotationNeverReady      = "scripted-kubelet/never-ready"        // "true"
	annotationNeverReadyIfArg = "scripted-kubelet/never-ready-if-arg" // when command or args of a container hold this text
	annotationCrash           = "scripted-kubelet/crash"              // termination message: CrashLoopBackOff
	annotationExitCode        = "scripted-kubelet/exit-code"          // of the crash, default 1
	annotationCrashReason     = "scripted-kubelet/crash-reason"       // of the crash, default Error
	annotationCrashIfArg      = "scripted-kubelet/crash-if-arg"       // crash only when command or args hold this text
	annotationCrashContainer  = "scripted-kubelet/crash-container"    // only this one crashes; crash-if-arg: when any of the pod holds the text
	annotationWaiting         = "scripted-kubelet/waiting"            // reason: what would crash does not even start
)

// kubelet plays the only node: it never runs anything, it only reports.
type kubelet struct {
	client  kubernetes.Interface
	dynamic dynamic.Interface
	pods    cache.Indexer
	queue   workqueue.TypedDelayingInterface[string]
	nextIP  atomic.Uint32
}

func runKubelet(kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 1000, 1000
	k := &kubelet{queue: workqueue.NewTypedDelayingQueue[string]()}
	if k.client, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	if k.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	logs, err := listenForLogs()
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := k.makeNode(ctx, int32(logs.Addr().(*net.TCPAddr).Port)); err != nil {
		return err
	}
	go k.renewLease(ctx)
	go k.runStandIns(ctx)
	k.watchPods(ctx, logs)
	return nil
}

func (k *kubelet) makeNode(ctx context.Context, logPort int32) error {
	resources := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("512"), corev1.ResourceMemory: resource.MustParse("4Ti"),
		corev1.ResourcePods: resource.MustParse("2000"), corev1.ResourceEphemeralStorage: resource.MustParse("4Ti"),
		"nvidia.com/gpu": resource.MustParse("64"),
	}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: nodeName, Labels: map[string]string{"kubernetes.io/hostname": nodeName, "kubernetes.io/os": "linux"}},
	}
	_, err := k.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	now := metav1.Now()
	status := corev1.NodeStatus{
		Capacity: resources, Allocatable: resources,
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "Scripted",
			LastHeartbeatTime: now, LastTransitionTime: now}},
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}},
		NodeInfo:        corev1.NodeSystemInfo{KubeletVersion: "v1.35.4", OperatingSystem: "linux", Architecture: "amd64"},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: logPort}},
	}
	body, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = k.client.CoreV1().Nodes().Patch(ctx, nodeName, types.MergePatchType, body, metav1.PatchOptions{}, "status")
	return err
}

// renewLease is the heartbeat: without it the node controller would evict everything after 40 s.
func (k *kubelet) renewLease(ctx context.Context) {
	holder, seconds, version := nodeName, int32(leaseSeconds), ""
	for ; ; time.Sleep(leaseSeconds / 4 * time.Second) {
		now := metav1.NowMicro()
		lease := &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: nodeName, Namespace: corev1.NamespaceNodeLease, ResourceVersion: version},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now},
		}
		leases := k.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
		write := func() (*coordinationv1.Lease, error) { return leases.Update(ctx, lease, metav1.UpdateOptions{}) }
		if version == "" { // an update has to name the version that it replaces
			write = func() (*coordinationv1.Lease, error) { return leases.Create(ctx, lease, metav1.CreateOptions{}) }
		}
		written, err := write()
		if apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
			written, err = leases.Get(ctx, nodeName, metav1.GetOptions{})
		}
		if err != nil {
			log.Printf("lease: %v", err)
			time.Sleep(time.Second)
			continue
		}
		version = written.ResourceVersion
	}
}

func (k *kubelet) watchPods(ctx context.Context, logs net.Listener) {
	factory := informers.NewSharedInformerFactoryWithOptions(k.client, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = "spec.nodeName=" + nodeName
	}))
	informer := factory.Core().V1().Pods().Informer()
	k.pods = informer.GetIndexer()
	add := func(object any) {
		if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
			k.queue.Add(key)
		}
	}
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, object any) { add(object) }})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go k.serveLogs(logs)
	for range 8 {
		go k.work(ctx)
	}
	<-ctx.Done()
}

func (k *kubelet) work(ctx context.Context) {
	for {
		key, stop := k.queue.Get()
		if stop {
			return
		}
		again, err := k.syncPod(ctx, key)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			log.Printf("pod %s: %v", key, err)
			again = time.Second
		}
		if again > 0 {
			k.queue.AddAfter(key, again)
		}
		k.queue.Done(key)
	}
}

// syncPod reports the pod's fate once; a duration asks to be called again.
func (k *kubelet) syncPod(ctx context.Context, key string) (time.Duration, error) {
	object, exists, err := k.pods.GetByKey(key)
	if err != nil || !exists {
		return 0, err
	}
	pod := object.(*corev1.Pod)
	if pod.DeletionTimestamp != nil {
		now := int64(0)
		return 0, k.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name,
			metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(pod.UID))})
	}
	fate := fateOf(pod)
	if pod.Status.PodIP == "" {
		if err := k.report(ctx, pod, fate, false); err != nil {
			return 0, err
		}
		return fate.readyAfter, nil
	}
	if left := time.Until(pod.Status.StartTime.Add(fate.readyAfter)); left > 0 && !isReady(pod) {
		return left, nil
	}
	if isReady(pod) || fate.neverReady || hasEnded(pod) {
		return 0, nil
	}
	return 0, k.report(ctx, pod, fate, true)
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// hasEnded: its containers wait, and nothing more comes.
func hasEnded(pod *corev1.Pod) bool {
	for _, s := range append(append([]corev1.ContainerStatus{}, pod.Status.ContainerStatuses...), pod.Status.InitContainerStatuses...) {
		if s.State.Waiting != nil {
			return true
		}
	}
	return false
}

type fate struct {
	readyAfter time.Duration
	neverReady bool
	crash      string // termination message of every container that crashes
	exitCode   int32
	reason     string
	crashIf    string
	only       string // the one container that crashes; empty: any
	waiting    string
}

func fateOf(pod *corev1.Pod) fate {
	f := fate{readyAfter: readyAfter, exitCode: 1, reason: "Error"}
	if d, err := time.ParseDuration(pod.Annotations[annotationReadyAfter]); err == nil {
		f.readyAfter = d
	}
	f.neverReady = pod.Annotations[annotationNeverReady] == "true" || podHolds(pod, pod.Annotations[annotationNeverReadyIfArg])
	f.crash = pod.Annotations[annotationCrash]
	f.crashIf = pod.Annotations[annotationCrashIfArg]
	f.waiting = pod.Annotations[annotationWaiting]
	if f.crashIf != "" && f.crash == "" {
		f.crash = "unrecognized arguments: " + f.crashIf
	}
	if code, err := strconv.Atoi(pod.Annotations[annotationExitCode]); err == nil {
		f.exitCode = int32(code)
	}
	if reason := pod.Annotations[annotationCrashReason]; reason != "" {
		f.reason = reason
	}
	f.only = pod.Annotations[annotationCrashContainer]
	if f.only != "" && f.crashIf != "" && !podHolds(pod, f.crashIf) {
		f.crash = ""
	}
	return f
}

func holds(c *corev1.Container, text string) bool {
	return strings.Contains(strings.Join(append(append([]string{}, c.Command...), c.Args...), " "), text)
}

// podHolds: a container of the pod has that text in its command or args; nobody has an empty one.
func podHolds(pod *corev1.Pod, text string) bool {
	containers := append(append([]corev1.Container{}, pod.Spec.InitContainers...), pod.Spec.Containers...)
	return text != "" && slices.ContainsFunc(containers, func(c corev1.Container) bool { return holds(&c, text) })
}

func (f fate) crashes(c *corev1.Container) bool {
	if f.only != "" {
		return f.crash != "" && c.Name == f.only
	}
	return f.crash != "" && (f.crashIf == "" || holds(c, f.crashIf))
}

func containerStatus(c *corev1.Container, f fate, ready bool) corev1.ContainerStatus {
	started := ready
	s := corev1.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: "scripted://" + c.Image, Ready: ready, Started: &started,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}}
	if ready && f.crashes(c) {
		started = false
		s.Ready = false
		if f.waiting != "" {
			s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: f.waiting}}
			return s
		}
		s.RestartCount = 3
		s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off restarting failed container"}}
		s.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: f.exitCode, Reason: f.reason, Message: f.crash, StartedAt: metav1.Now(), FinishedAt: metav1.Now()}}
	}
	return s
}

func (k *kubelet) report(ctx context.Context, pod *corev1.Pod, f fate, ready bool) error {
	status := corev1.PodStatus{Phase: corev1.PodRunning, HostIP: "127.0.0.1", PodIP: pod.Status.PodIP, StartTime: pod.Status.StartTime}
	if status.PodIP == "" {
		// Never dialled: EndpointSlices refuse loopback addresses, so these only look like a pod network.
		n := k.nextIP.Add(1)
		status.PodIP = fmt.Sprintf("10.244.%d.%d", n/250%250, n%250+1)
		now := metav1.Now()
		status.StartTime = &now
	}
	status.PodIPs = []corev1.PodIP{{IP: status.PodIP}}
	all := ready
	for i := range pod.Spec.InitContainers {
		status.InitContainerStatuses = append(status.InitContainerStatuses, initStatus(&pod.Spec.InitContainers[i], f, ready, &all))
	}
	for i := range pod.Spec.Containers {
		s := containerStatus(&pod.Spec.Containers[i], f, ready)
		all = all && s.Ready
		status.ContainerStatuses = append(status.ContainerStatuses, s)
	}
	now := metav1.Now()
	for _, t := range []corev1.PodConditionType{corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		value := corev1.ConditionFalse
		if all || t == corev1.PodInitialized {
			value = corev1.ConditionTrue
		}
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: t, Status: value, LastTransitionTime: since(pod, t, value, now)})
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return err
	}
	_, err = k.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
	return err
}

// since: a condition that says what it said before has not changed.
func since(pod *corev1.Pod, t corev1.PodConditionType, value corev1.ConditionStatus, now metav1.Time) metav1.Time {
	for _, c := range pod.Status.Conditions {
		if c.Type == t && c.Status == value {
			return c.LastTransitionTime
		}
	}
	return now
}

// initStatus: a native sidecar runs like a container, an ordinary init container has finished.
func initStatus(c *corev1.Container, f fate, ready bool, all *bool) corev1.ContainerStatus {
	if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
		s := containerStatus(c, f, ready)
		*all = *all && s.Ready
		return s
	}
	return corev1.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: "scripted://" + c.Image, Ready: true,
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: metav1.Now(), FinishedAt: metav1.Now()}}}
}
