// Stands in for Fluent Bit where there is none: it ships nothing, and proves what surrounds Fluent Bit in its pod.
//
// It ends with what is wrong unless every file of the configuration that -c names is there, with the files that it
// includes, every variable in them has a value or stands empty in the environment, container logs can be read and
// the state directory be written. Then it answers the two paths that the probes ask for.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

var variable = regexp.MustCompile(`\$\{([A-Z0-9_]+)\}`)

// reference finds the lines that name another file: an item of `includes`, or `parsers_file`.
var reference = regexp.MustCompile(`(?m)^\s*(?:-|parsers_file:)\s+(\S+\.yaml)$`)

func checkFile(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var problems []error
	text := variable.ReplaceAllStringFunc(string(content), func(found string) string {
		value, ok := os.LookupEnv(strings.Trim(found, "${}"))
		if !ok {
			problems = append(problems, fmt.Errorf("%s: %s is not in the environment", path, found))
		}
		return value
	})
	for _, match := range reference.FindAllStringSubmatch(text, -1) {
		named := match[1]
		if !filepath.IsAbs(named) {
			named = filepath.Join(filepath.Dir(path), named)
		}
		problems = append(problems, checkFile(named))
	}
	return errors.Join(problems...)
}

func checkDirectories() error {
	logs := filepath.Dir(os.Getenv("NODEOBS_CONTAINER_LOGS"))
	found, err := os.ReadDir(logs)
	if err != nil {
		return err
	}
	readable := 0
	for _, entry := range found {
		// The links must lead somewhere inside the container, which is what mounts are for.
		file, err := os.Open(filepath.Join(logs, entry.Name()))
		if errors.Is(err, os.ErrNotExist) {
			if _, err := os.Lstat(filepath.Join(logs, entry.Name())); err != nil {
				continue // a pod that ended meanwhile
			}
		}
		if err != nil {
			return err
		}
		file.Close()
		readable++
	}
	fmt.Printf("stand-in: %d container logs can be read\n", readable)
	probe := filepath.Join(os.Getenv("NODEOBS_STATE_DIR"), ".probe")
	if err := os.WriteFile(probe, []byte("x"), 0o600); err != nil {
		return err
	}
	return os.Remove(probe)
}

func main() {
	path := flag.String("c", "", "configuration")
	dryRun := flag.Bool("dry-run", false, "check the configuration only")
	flag.Parse()
	err := checkFile(*path)
	if !*dryRun {
		err = errors.Join(err, checkDirectories())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in:", err)
		os.Exit(1)
	}
	fmt.Println("stand-in: the configuration is whole; records are read by nobody")
	if *dryRun {
		return
	}
	http.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/api/v1/health", func(http.ResponseWriter, *http.Request) {})
	go func() {
		address := os.Getenv("NODEOBS_HTTP_LISTEN") + ":" + os.Getenv("NODEOBS_HTTP_PORT")
		fmt.Fprintln(os.Stderr, "stand-in:", http.ListenAndServe(address, nil))
		os.Exit(1)
	}()
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM)
	<-stopped
}
