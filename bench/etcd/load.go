// Puts through etcd's own client, for bench/etcd_bench: every writer waits until its put is durable before the next one.
//
//	load ENDPOINT WRITERS SECONDS BODY_BYTES
//
// Prints puts per second, and the 50th and 99th percentile of their latency in milliseconds.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/clientv3"
)

const objectsPerWriter = 1000

func number(i int) int {
	n, err := strconv.Atoi(os.Args[i])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return n
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: load ENDPOINT WRITERS SECONDS BODY_BYTES")
		os.Exit(2)
	}
	writers, seconds := number(2), number(3)
	body := strings.Repeat("x", number(4))
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{os.Args[1]}, DialTimeout: 10 * time.Second})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer client.Close()

	latencies := make([][]float64, writers)
	begin := time.Now()
	end := begin.Add(time.Duration(seconds) * time.Second)
	var all sync.WaitGroup
	for w := 0; w < writers; w++ {
		all.Add(1)
		go func(w int) {
			defer all.Done()
			for n := 0; time.Now().Before(end); n++ {
				key := fmt.Sprintf("/manifestworks.work.open-cluster-management.io/cluster-%05d/work-%05d", w, n%objectsPerWriter)
				start := time.Now()
				if _, err := client.Put(context.Background(), key, body); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				latencies[w] = append(latencies[w], float64(time.Since(start).Microseconds())/1000)
			}
		}(w)
	}
	all.Wait()
	elapsed := time.Since(begin).Seconds()
	var merged []float64
	for _, l := range latencies {
		merged = append(merged, l...)
	}
	sort.Float64s(merged)
	at := func(p float64) float64 { return merged[int(p*float64(len(merged)-1))] }
	fmt.Printf("%.1f %.3f %.3f\n", float64(len(merged))/elapsed, at(0.5), at(0.99))
}
