module null_elasticsearch

go 1.19
