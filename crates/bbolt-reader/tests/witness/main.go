// Makes databases with bbolt itself, and says what bbolt reads of one.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "witness:", err)
		os.Exit(1)
	}
}

func main() {
	switch arguments := os.Args[1:]; arguments[0] {
	case "make":
		size, err := strconv.Atoi(arguments[3])
		check(err)
		// With some sizes no list of free pages, as etcd has it.
		options := bolt.Options{PageSize: size, NoFreelistSync: size%3 == 1, FreelistType: bolt.FreelistMapType}
		db, err := bolt.Open(arguments[2], 0o600, &options)
		check(err)
		db.NoSync = true
		kinds[arguments[1]](db)
		check(db.Close())
	case "churn":
		db, err := bolt.Open(arguments[1], 0o600, nil)
		check(err)
		db.NoSync = true
		for round := int64(0); ; round++ {
			operations(db, rand.New(rand.NewSource(round)), 20)
			if round == 20 {
				fmt.Println("ready")
			}
		}
	case "dump":
		db, err := bolt.Open(arguments[1], 0o400, &bolt.Options{ReadOnly: true})
		check(err)
		out := bufio.NewWriter(os.Stdout)
		check(db.View(func(tx *bolt.Tx) error {
			dump(out, "", tx.Cursor().Bucket())
			return nil
		}))
		check(out.Flush())
	}
}

func dump(out *bufio.Writer, path string, bucket *bolt.Bucket) {
	fmt.Fprintf(out, "bucket %s %d\n", path, bucket.Sequence())
	check(bucket.ForEach(func(key, value []byte) error {
		inner := path + "/" + hex.EncodeToString(key)
		if value == nil {
			dump(out, inner, bucket.Bucket(key))
		} else {
			fmt.Fprintf(out, "value %s %d %x\n", inner, len(value), sha256.Sum256(value))
		}
		return nil
	}))
}

var kinds = map[string]func(*bolt.DB){
	"empty":   func(*bolt.DB) {},
	"many":    many,
	"nested":  nested,
	"large":   large,
	"random":  random,
	"counted": counted,
	"small":   small,
}

func update(db *bolt.DB, change func(*bolt.Tx)) {
	check(db.Update(func(tx *bolt.Tx) error {
		change(tx)
		return nil
	}))
}

func create(bucket *bolt.Bucket, name string) *bolt.Bucket {
	inner, err := bucket.CreateBucketIfNotExists([]byte(name))
	check(err)
	return inner
}

func bytesOf(random *rand.Rand, length int) []byte {
	bytes := make([]byte, length)
	random.Read(bytes)
	return bytes
}

// Keys of one bucket, a third of which go again, and some come back.
func many(db *bolt.DB) {
	random := rand.New(rand.NewSource(1))
	for round := 0; round < 6; round++ {
		update(db, func(tx *bolt.Tx) {
			bucket := create(tx.Cursor().Bucket(), "many")
			for number := 0; number < 4000; number++ {
				key := []byte(fmt.Sprintf("key-%07d", random.Intn(40000)))
				if round%3 == 2 {
					check(bucket.Delete(key))
				} else {
					check(bucket.Put(key, bytesOf(random, random.Intn(200))))
				}
			}
			check(bucket.SetSequence(uint64(round) << 33))
		})
	}
}

// Buckets far in one another, small ones that have no page, and some that grow and shrink.
func nested(db *bolt.DB) {
	update(db, func(tx *bolt.Tx) {
		bucket := create(tx.Cursor().Bucket(), "deep")
		for depth := 0; depth < 40; depth++ {
			check(bucket.Put([]byte("a"), []byte(strconv.Itoa(depth))))
			check(bucket.Put([]byte("z"), nil))
			bucket = create(bucket, "deep")
		}
	})
	for round := 0; round < 3; round++ {
		update(db, func(tx *bolt.Tx) {
			small := create(tx.Cursor().Bucket(), "small")
			for number := round; number < 600; number += 1 + round {
				bucket := create(small, fmt.Sprintf("bucket-%d", number))
				for item := 0; item < number%7; item++ {
					check(bucket.Put([]byte{byte(round), byte(item)}, []byte("value")))
				}
				check(create(bucket, "inner").SetSequence(uint64(number)))
			}
			for number := round; number < 600; number += 5 {
				name := []byte(fmt.Sprintf("bucket-%d", number))
				if small.Bucket(name) != nil {
					check(small.DeleteBucket(name))
				}
			}
		})
	}
}

// Values of several pages, and the longest keys, so that branches have several pages too.
func large(db *bolt.DB) {
	random := rand.New(rand.NewSource(2))
	update(db, func(tx *bolt.Tx) {
		values := create(tx.Cursor().Bucket(), "values")
		for number, length := range []int{0, 1, 12288, 12272, 1<<20 + 17, 4096, 65536, 65520, 200000, 3} {
			check(values.Put([]byte(fmt.Sprintf("value-%d", number)), bytesOf(random, length)))
		}
		keys := create(tx.Cursor().Bucket(), "keys")
		for number := 0; number < 60; number++ {
			check(keys.Put(bytesOf(random, 32768-number%3), bytesOf(random, number*100)))
		}
	})
}

func random(db *bolt.DB) {
	random := rand.New(rand.NewSource(3))
	for round := 0; round < 150; round++ {
		operations(db, random, 40)
	}
}

// Of each shape one, for fuzzing.
func small(db *bolt.DB) {
	random := rand.New(rand.NewSource(4))
	for round := 0; round < 3; round++ {
		operations(db, random, 25)
	}
	update(db, func(tx *bolt.Tx) {
		bucket := create(create(tx.Cursor().Bucket(), "deep"), "deep")
		check(bucket.Put(bytesOf(random, 3000), bytesOf(random, 9000)))
		check(create(bucket, "empty").SetSequence(7))
	})
}

// Some changes in one transaction, three levels of buckets deep.
func operations(db *bolt.DB, random *rand.Rand, changes int) {
	update(db, func(tx *bolt.Tx) {
		for change := 0; change < changes; change++ {
			bucket := tx.Cursor().Bucket()
			for depth := 0; depth < 1+random.Intn(3); depth++ {
				bucket = create(bucket, fmt.Sprintf("bucket-%d", random.Intn(6)))
			}
			key := []byte(fmt.Sprintf("%x", random.Intn(300)))
			switch random.Intn(10) {
			case 0, 1, 2:
				check(bucket.Delete(key))
			case 3:
				_, err := bucket.NextSequence()
				check(err)
			case 4:
				if random.Intn(10) == 0 {
					check(bucket.Put(key, bytesOf(random, random.Intn(30000))))
				}
			default:
				check(bucket.Put(key, bytesOf(random, random.Intn(300))))
			}
			name := []byte(fmt.Sprintf("bucket-%d", random.Intn(6)))
			if random.Intn(60) == 0 && bucket.Bucket(name) != nil {
				check(bucket.DeleteBucket(name))
			}
		}
	})
}

// Each transaction adds a key, and what bbolt reads after it stands in a file of its own beside.
func counted(db *bolt.DB) {
	for number := 0; number < 30; number++ {
		update(db, func(tx *bolt.Tx) {
			bucket := create(tx.Cursor().Bucket(), "counted")
			check(bucket.Put([]byte(fmt.Sprintf("key-%d", number)), make([]byte, 900)))
		})
		file, err := os.Create(fmt.Sprintf("%s.%d", db.Path(), number))
		check(err)
		out := bufio.NewWriter(file)
		check(db.View(func(tx *bolt.Tx) error {
			dump(out, "", tx.Cursor().Bucket())
			return nil
		}))
		check(out.Flush())
	}
}
