# frozen_string_literal: true

# The AWS SDK for Ruby: the client's calls, and the resources above it that send an object in parts.

require "aws-sdk-s3"
require "digest"
require "json"
require "net/http"

BUCKET = ENV.fetch("BUCKET_NAME")
LARGE = Random.new(2).bytes((12 * 1024 * 1024) + 7)
PART_BYTES = 5 * 1024 * 1024

# Why a check failed.
class Failure < StandardError; end

def same(what, got, wanted)
  raise Failure, "#{what}: got #{got.inspect[0, 300]}, wanted #{wanted.inspect[0, 300]}" unless got == wanted
end

def refused(what, error)
  yield
rescue error
  nil
else
  raise Failure, "#{what}: succeeded"
end

def connect
  Aws::S3::Client.new(endpoint: ENV.fetch("AWS_ENDPOINT_URL"), force_path_style: ENV.fetch("CLIENT_ADDRESSING") == "path")
end

def content_of(name)
  Random.new(name.sum).bytes(name.sum % 5_000)
end

def keys(s3)
  pages = s3.list_objects_v2(bucket: BUCKET, max_keys: 30).to_a
  pages.flat_map { |page| page.contents.map(&:key) }
end

def small_objects(s3)
  names = File.readlines(ENV.fetch("CLIENT_NAMES"), chomp: true, encoding: "UTF-8")
  names.each { |name| s3.put_object(bucket: BUCKET, key: name, body: content_of(name)) }
  names.each { |name| same(name, s3.get_object(bucket: BUCKET, key: name).body.read.b, content_of(name)) }
  same("names, sorted by bytes", keys(s3), names.sort_by(&:b))
  names
end

def described(s3, name)
  source = "#{name} source+%41 ü.txt"
  metadata = { "origin" => "a test; with = signs" }
  s3.put_object(bucket: BUCKET, key: source, body: "content", content_type: "text/x-test", metadata: metadata)
  object = Aws::S3::Object.new(BUCKET, "copies/of it", client: s3)
  object.copy_from(bucket: BUCKET, key: source)
  [source, object.key].each do |key|
    head = s3.head_object(bucket: BUCKET, key: key)
    same("metadata of #{key}", head.metadata, metadata)
    same("type of #{key}", head.content_type, "text/x-test")
    same("length of #{key}", head.content_length, 7)
  end
  [source, object.key]
end

def large(s3)
  key = "large/in parts é"
  File.binwrite("large", LARGE)
  object = Aws::S3::Object.new(BUCKET, key, client: s3)
  object.upload_file("large", multipart_threshold: PART_BYTES)
  object.download_file("back")
  same("digest of #{key}", Digest::SHA256.file("back").hexdigest, Digest::SHA256.hexdigest(LARGE))
  same("parts of #{key}", object.etag.delete('"')[/-\d+\z/], "-3")
  part = s3.get_object(bucket: BUCKET, key: key, range: "bytes=#{PART_BYTES - 1000}-#{PART_BYTES + 999}").body.read
  same("range", part.b, LARGE[PART_BYTES - 1000, 2000])
  streamed = Aws::S3::Object.new(BUCKET, "large/streamed", client: s3)
  streamed.upload_stream { |stream| stream.binmode.write(LARGE) }
  same("digest of the stream", Digest::SHA256.hexdigest(streamed.get.body.read), Digest::SHA256.hexdigest(LARGE))
  [key, streamed.key]
end

def presigned(s3)
  object = Aws::S3::Object.new(BUCKET, "presigned/a b+c&d é.txt", client: s3)
  request = ->(uri, message) { Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https", ca_file: ENV.fetch("AWS_CA_BUNDLE", nil)) { |http| http.request(message) } }
  put = URI(object.presigned_url(:put))
  same("status of presigned PUT", request.call(put, Net::HTTP::Put.new(put).tap { |message| message.body = "signed" }).code, "200")
  get = URI(object.presigned_url(:get, expires_in: 300))
  same("presigned GET", request.call(get, Net::HTTP::Get.new(get)).body, "signed")
  object.key
end

def missing(s3)
  refused("get_object", Aws::S3::Errors::NoSuchKey) { s3.get_object(bucket: BUCKET, key: "missing/key") }
  refused("head_object", Aws::S3::Errors::NotFound) { s3.head_object(bucket: BUCKET, key: "missing/key") }
  same("exists?", Aws::S3::Object.new(BUCKET, "missing/key", client: s3).exists?, false)
end

def delete(s3, names)
  s3.delete_object(bucket: BUCKET, key: names.first)
  answer = s3.delete_objects(bucket: BUCKET, delete: { objects: names.drop(1).map { |name| { key: name } } })
  same("errors of delete_objects", answer.errors.to_a, [])
  same("names after deletion", keys(s3), [])
end

s3 = connect
names = small_objects(s3) + described(s3, "dir 1/a") + large(s3) + [presigned(s3)]
missing(s3)
delete(s3, names)
puts "RESULT " + JSON.generate(
  client: "AWS SDK for Ruby", version: Aws::S3::GEM_VERSION,
  exercised: ["PutObject", "GetObject", "HeadObject", "ListObjectsV2 in pages", "CopyObject", "user metadata",
              "multipart by 5 MiB", "multipart upload from a stream", "range read", "presigned GET and PUT", "DeleteObject", "DeleteObjects",
              "typed error for a missing key"]
)
